//! Processor time of the calling thread.

use rustix::time::{ClockId, clock_gettime};

/// Processor time that the calling thread has spent so far, seconds.
pub(super) fn thread_cpu_s() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time_and_sleep_does_not() {
        let start = thread_cpu_s();
        let mut sum = 0u64;
        while thread_cpu_s() - start < 0.05 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
        let wall = std::time::Instant::now();
        let before = thread_cpu_s();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let spent = thread_cpu_s() - before;
        assert!(spent < 0.5 * wall.elapsed().as_secs_f64(), "{spent}");
    }
}
