//! Buffers that are used again once nobody reads them any more.

use std::sync::Arc;

/// Buffers kept: the frame being read, one that waits for its counterpart, the last file's, and some to spare.
const KEPT: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Pool<T> {
    buffers: Vec<Arc<Vec<T>>>,
}

impl<T: Clone> Pool<T> {
    /// A buffer with what `write` makes of its former content.
    pub(super) fn fill(&mut self, write: impl FnOnce(&mut Vec<T>)) -> Arc<Vec<T>> {
        let filled = self.try_fill(|buffer| {
            write(buffer);
            Ok::<(), std::convert::Infallible>(())
        });
        match filled {
            Ok(buffer) => buffer,
            Err(never) => match never {},
        }
    }

    /// As [`Pool::fill`], for what can fail; the buffer is then kept for the next try.
    pub(super) fn try_fill<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<T>) -> Result<(), E>,
    ) -> Result<Arc<Vec<T>>, E> {
        let free = self.buffers.iter().position(|b| Arc::strong_count(b) == 1);
        let mut buffer = match free {
            Some(index) => self.buffers.swap_remove(index),
            None => Arc::default(),
        };
        // Nobody else holds it, so this clones nothing.
        let written = write(Arc::make_mut(&mut buffer));
        if self.buffers.len() < KEPT {
            self.buffers.push(Arc::clone(&buffer));
        }
        written.map(|()| buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_only_when_nobody_reads_it() {
        let mut pool = Pool::default();
        let first = pool.fill(|b| b.extend([1_u8, 2, 3]));
        let second = pool.fill(|b| b.push(4));
        assert_eq!(
            (first.as_slice(), second.as_slice()),
            (&[1, 2, 3][..], &[4][..])
        );
        let address = first.as_ptr();
        drop(first);
        let third = pool.fill(|b| b.fill(9));
        assert_eq!(
            (third.as_ptr(), third.as_slice()),
            (address, &[9, 9, 9][..])
        );
    }

    #[test]
    fn what_cannot_be_written_leaves_the_pool_usable() {
        let mut pool = Pool::<u8>::default();
        assert_eq!(pool.try_fill(|_| Err("cut")), Err("cut"));
        assert_eq!(pool.fill(|b| b.push(1)).as_slice(), [1]);
        let held: Vec<_> = (0..9).map(|n| pool.fill(|b| *b = vec![n])).collect();
        assert!(held.iter().zip(0..).all(|(b, n)| b[0] == n) && pool.buffers.len() <= KEPT);
    }
}
