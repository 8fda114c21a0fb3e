//! Independent jobs on several threads, results in the order of the jobs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use eyre::{Result, ensure};

/// Works on `jobs` with `threads` threads and hands each result to `each`, in the order of the
/// jobs, as soon as those before it are there. Every thread makes one worker with `make`, which
/// need not be able to change threads.
///
/// # Errors
/// The first error of `make`, `work` or `each`; the other threads stop after their current job.
pub(crate) fn in_order<J, W, R>(
    jobs: &[J],
    threads: usize,
    make: impl Fn() -> Result<W> + Sync,
    work: impl Fn(&mut W, &J) -> Result<R> + Sync,
    mut each: impl FnMut(&J, R) -> Result<()>,
) -> Result<()>
where
    J: Sync,
    R: Send,
{
    ensure!(threads > 0, "no threads to work on {} jobs", jobs.len());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Bounded, so that a slow consumer does not let results pile up.
        let (sender, receiver) = mpsc::sync_channel(2 * threads);
        for _ in 0..threads.min(jobs.len()) {
            let (sender, next, make, work) = (sender.clone(), &next, &make, &work);
            scope.spawn(move || {
                let mut worker = match make() {
                    Ok(worker) => worker,
                    Err(error) => {
                        // Nobody listens only when another thread failed first.
                        let _ = sender.send((0, Err(error)));
                        return;
                    }
                };
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    if sender.send((index, work(&mut worker, job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let consumed = consume(jobs, receiver, &mut each);
        next.store(jobs.len(), Ordering::Relaxed);
        consumed
    })
}

fn consume<J, R>(
    jobs: &[J],
    results: mpsc::Receiver<(usize, Result<R>)>,
    each: &mut impl FnMut(&J, R) -> Result<()>,
) -> Result<()> {
    let mut queue = InOrder::default();
    for (index, result) in results {
        queue.offer(index, result?, jobs, each)?;
    }
    ensure!(queue.done == jobs.len(), "a worker thread ended early");
    Ok(())
}

/// Results that come in any order and go on in that of the jobs.
pub(crate) struct InOrder<R> {
    waiting: BTreeMap<usize, R>,
    done: usize,
}

impl<R> Default for InOrder<R> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            done: 0,
        }
    }
}

impl<R> InOrder<R> {
    /// Takes the result of the job of that index, and hands on all that no earlier one is missing for. The first
    /// result of a job counts.
    ///
    /// # Errors
    /// What `each` says.
    pub(crate) fn offer<J>(
        &mut self,
        index: usize,
        result: R,
        jobs: &[J],
        each: &mut (impl FnMut(&J, R) -> Result<()> + ?Sized),
    ) -> Result<()> {
        if index >= self.done {
            self.waiting.entry(index).or_insert(result);
        }
        while let Some(result) = self.waiting.remove(&self.done) {
            each(&jobs[self.done], result)?;
            self.done += 1;
        }
        Ok(())
    }

    /// At the end: hands on what waits for earlier ones, with what `missing` makes in their place.
    ///
    /// # Errors
    /// What `each` says.
    pub(crate) fn flush<J>(
        &mut self,
        missing: impl Fn() -> R,
        jobs: &[J],
        each: &mut (impl FnMut(&J, R) -> Result<()> + ?Sized),
    ) -> Result<()> {
        for (index, job) in jobs.iter().enumerate().skip(self.done) {
            each(job, self.waiting.remove(&index).unwrap_or_else(&missing))?;
        }
        self.done = jobs.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use eyre::eyre;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..50).collect();
        let mut seen = Vec::new();
        // Early jobs take longest.
        let work = |(): &mut (), job: &u64| {
            thread::sleep(std::time::Duration::from_micros(20 * (50 - job)));
            Ok(job * 2)
        };
        in_order(
            &jobs,
            4,
            || Ok(()),
            work,
            |job, result| {
                seen.push((*job, result));
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen, (0..50).map(|job| (job, 2 * job)).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let jobs: Vec<u64> = (0..10_000).collect();
        let work = |(): &mut (), job: &u64| match job {
            3 => Err(eyre!("job 3 failed")),
            job => Ok(*job),
        };
        let error = in_order(&jobs, 2, || Ok(()), work, |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "job 3 failed");

        let make = || -> Result<()> { Err(eyre!("no worker")) };
        let error = in_order(&jobs, 2, make, |(), job| Ok(*job), |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "no worker");

        let refuse = |_: &u64, _: u64| Err(eyre!("the disk is full"));
        let error = in_order(&jobs, 2, || Ok(()), |(), job| Ok(*job), refuse).unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
    }

    #[test]
    fn what_is_missing_is_stepped_over_at_the_end() {
        let jobs = [10, 11, 12, 13];
        let mut seen = Vec::new();
        let mut each = |job: &i32, result: Option<char>| {
            seen.push((*job, result));
            Ok(())
        };
        let mut queue = InOrder::default();
        for (index, result) in [(3, 'd'), (0, 'a'), (0, 'x'), (3, 'y')] {
            queue.offer(index, Some(result), &jobs, &mut each).unwrap();
        }
        queue.flush(|| None, &jobs, &mut each).unwrap();
        let expected = [(10, Some('a')), (11, None), (12, None), (13, Some('d'))];
        assert_eq!(seen, expected);
    }
}
