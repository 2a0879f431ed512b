//! Work over many inventories on every core, with results in the order of the command line.
//!
//! This file must not know what the work is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Runs `work` for ranges of indices of at most `together` on every core, and `done` for each result on this thread, in
/// the order of the indices. Work is taken in order too, so that few results wait for an earlier one.
pub(super) fn for_each_in_order<T: Send>(
    count: usize,
    together: usize,
    work: impl Fn(Range<usize>) -> Vec<T> + Sync,
    mut done: impl FnMut(usize, T),
) {
    if count == 1 {
        return work(0..1).into_iter().for_each(|result| done(0, result));
    }
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(count);
    // Small runs are shared out among the cores too, and the last ranges end at about the same time.
    let together = together.min(count.div_ceil(threads * 4)).max(1);
    let (sender, receiver) = mpsc::sync_channel::<(usize, Vec<T>)>(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (work, next) = (&work, &next);
            scope.spawn(move || {
                // Each inventory stays on its core: a pool of one makes the parallel parts of the phases run inline.
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(1)
                    .use_current_thread()
                    .build();
                loop {
                    let start = next.fetch_add(together, Ordering::Relaxed);
                    let end = count.min(start + together);
                    if start >= count || sender.send((start, work(start..end))).is_err() {
                        break;
                    }
                }
                drop(pool);
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut expected = 0;
        for (start, results) in receiver {
            waiting.insert(start, results);
            while let Some(results) = waiting.remove(&expected) {
                for result in results {
                    done(expected, result);
                    expected += 1;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_arrive_in_order_whatever_finishes_first() {
        let mut seen = Vec::new();
        let work = |indices: Range<usize>| indices.map(|index| index * 2).collect();
        for_each_in_order(100, 7, work, |index, double| seen.push((index, double)));
        assert_eq!(seen, (0..100).map(|index| (index, index * 2)).collect::<Vec<_>>());
    }
}
