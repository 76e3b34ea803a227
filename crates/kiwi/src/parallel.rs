//! Work on all processors: the one place that starts threads for the parts of a task.
//!
//! Results come in the order of the items. After an error no further item is started; since items are started in order, the
//! error is that of the first item that fails. A panic continues in the caller.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::ScopedJoinHandle;

use anyhow::Result;

/// Results per thread that wait for their turn.
const WAITING: usize = 4;

/// Returns the results of `work` for each item, from at most `threads` threads.
pub fn map<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let mut results = Vec::with_capacity(items.len());
    let states = vec![(); threads.clamp(1, items.len().max(1))];
    let collect = |_: &T, result| {
        results.push(result);
        Ok(())
    };
    for_each(items, states, |(), item| work(item), collect)?;
    Ok(results)
}

/// Calls `work` for each item, in one thread for each of `states`, and passes the results to `each` while others are made.
pub fn for_each<T: Sync, S: Send, R: Send>(
    items: &[T],
    states: Vec<S>,
    work: impl Fn(&mut S, &T) -> Result<R> + Sync,
    mut each: impl FnMut(&T, R) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(WAITING * states.len());
    let run = |mut state: S, sender: SyncSender<_>| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let result = work(&mut state, item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            // There is no receiver after an error in the caller.
            if sender.send((index, result)).is_err() {
                return;
            }
        }
    };
    let run = &run;
    std::thread::scope(|scope| {
        let start = |state| {
            let sender = sender.clone();
            scope.spawn(move || run(state, sender))
        };
        let threads: Vec<_> = states.into_iter().map(start).collect();
        drop(sender);
        // Results that arrived before their turn.
        let mut early = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let result = loop {
                if let Some(result) = early.remove(&index) {
                    break result;
                }
                let Ok((arrived, result)) = receiver.recv() else {
                    threads.into_iter().for_each(ended);
                    unreachable!("the thread of an item without a result panicked");
                };
                early.insert(arrived, result);
            };
            each(item, result?)?;
        }
        // Moved into this closure, so that an error above lets the threads end.
        drop(receiver);
        Ok(())
    })
}

/// Does two things at once; returns both results.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    beside(one, |one| {
        let other = other();
        (one.end(), other)
    })
}

/// Does one thing in another thread while `work` runs, which may wait for its result.
pub fn beside<A: Send, B>(other: impl FnOnce() -> A + Send, work: impl FnOnce(Started<'_, A>) -> B) -> B {
    std::thread::scope(|scope| work(Started(scope.spawn(other))))
}

/// Something that another thread does.
pub struct Started<'scope, A>(ScopedJoinHandle<'scope, A>);

impl<A> Started<'_, A> {
    /// Waits for its result.
    pub fn end(self) -> A {
        ended(self.0)
    }
}

fn ended<A>(thread: ScopedJoinHandle<'_, A>) -> A {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::bail;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..1000).collect();
        for threads in [0, 1, 3, 2000] {
            // Early items take longer than later ones.
            let work = |item: &u64| Ok((0..(1000 - item) * 20).fold(*item, u64::wrapping_add));
            let expected: Vec<u64> = items.iter().map(|item| work(item).unwrap()).collect();
            assert_eq!(map(&items, threads, work).unwrap(), expected);
        }
        assert_eq!(map(&[], 4, |item: &u8| Ok(*item)).unwrap(), Vec::<u8>::new());
    }

    #[test]
    fn at_most_so_many_run_at_once() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |_: &usize| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        map(&[0; 100], 3, work).unwrap();
        assert!((1..=3).contains(&most.into_inner()));
    }

    #[test]
    fn the_first_error_counts_and_ends_the_work() {
        let started = Mutex::new(Vec::new());
        let items: Vec<usize> = (0..10_000).collect();
        let work = |item: &usize| {
            started.lock().unwrap().push(*item);
            if *item >= 20 { bail!("{item}") } else { Ok(()) }
        };
        assert_eq!(map(&items, 4, work).unwrap_err().to_string(), "20");
        assert!(started.into_inner().unwrap().len() <= 24);
        let mut seen = Vec::new();
        let error = for_each(
            &items,
            vec![0; 4],
            |count, item| {
                *count += 1;
                Ok(*item)
            },
            |_, item| {
                if item == 5 {
                    bail!("the caller");
                }
                seen.push(item);
                Ok(())
            },
        );
        assert_eq!(error.unwrap_err().to_string(), "the caller");
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_panic_continues_in_the_caller() {
        for threads in [1, 4] {
            let caught = std::panic::catch_unwind(|| {
                map(
                    &[1, 2, 3, 4, 5, 6, 7, 8],
                    threads,
                    |item| if *item == 3 { panic!("three") } else { Ok(()) },
                )
            });
            assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "three");
        }
    }

    #[test]
    fn two_things_at_once_give_both_results() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (one, other) = both(move || receiver.recv().unwrap(), || sender.send(7).is_ok());
        assert_eq!((one, other), (7, true));
    }
}
