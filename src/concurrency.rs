//! Bounded concurrency: the only place that spawns.
//!
//! A stream of bare futures is polled only while somebody asks it for the next item; behind a slow
//! consumer healthy requests then time out. So every piece of work here is a task of its own, and
//! results come out in the order in which the work went in, or as they come where order does not matter.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How much is done at a time.
#[derive(Debug, Clone, Copy)]
pub struct ConcurrencyLimits {
    /// Pieces of work that run at once.
    pub running: NonZeroUsize,
    /// Pieces of work begun and not yet yielded. It bounds memory: a slow piece holds back the
    /// finished ones behind it, and no more than these.
    pub window: NonZeroUsize,
}

/// Runs `work` on each item, at most `width.running` at a time, and yields the results in order.
///
/// # Panics
/// When the work does.
pub fn run_in_order<I, F, W>(
    items: I,
    width: ConcurrencyLimits,
    work: W,
) -> impl Stream<Item = F::Output>
where
    I: Stream,
    I::Item: Send + 'static,
    W: Fn(I::Item) -> F + Send + Sync + 'static,
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (seats, work) = (Arc::new(Semaphore::new(width.running.get())), Arc::new(work));
    items
        .map(move |item| {
            let (seats, work) = (Arc::clone(&seats), Arc::clone(&work));
            join_task(tokio::spawn(async move {
                let _seat = seats.acquire().await.expect("the seats are never closed");
                // Made only now, on the heap: those in line would take its size a thousand times.
                Box::pin(work(item)).await
            }))
        })
        .buffered(width.window.get())
}

/// Runs `work` on each item, at most `at_once` of them begun and not ended, and yields the results as they
/// come: a piece that waits for long holds back nothing but its own place.
///
/// # Panics
/// When the work does.
pub fn run_unordered<I, F, W>(
    items: I,
    at_once: NonZeroUsize,
    work: W,
) -> impl Stream<Item = F::Output>
where
    I: Stream,
    I::Item: Send + 'static,
    W: Fn(I::Item) -> F,
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    items.map(move |item| join_task(tokio::spawn(work(item)))).buffer_unordered(at_once.get())
}

/// Runs blocking work (files, SQLite, Parquet) on a thread of its own.
pub async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    join_task(tokio::task::spawn_blocking(work)).await
}

/// Runs a piece of work to its end, also when whoever waits for it no longer does.
pub async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    join_task(tokio::spawn(work)).await
}

/// Runs blocking work that may never end, and waits for it no longer than this; nothing when it takes
/// longer or panics. The thread is left to itself then.
pub fn run_with_timeout<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (to, from) = sync_channel(1);
    std::thread::spawn(move || drop(to.send(work())));
    from.recv_timeout(limit).ok()
}

/// Runs two kinds of blocking work side by side: one makes things, the other takes them in the order in
/// which they were made. At most `depth` wait in between. The failure of the one that takes goes first;
/// the one that makes sees it by a send that fails.
///
/// # Panics
/// When either does.
pub fn run_pipeline<T: Send, E: Send>(
    depth: usize,
    make: impl FnOnce(&SyncSender<T>) -> Result<(), E> + Send,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        let (to, from) = sync_channel(depth);
        let maker = scope.spawn(move || make(&to));
        let taken = from.iter().try_for_each(&mut take);
        drop(from);
        let ended = maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        taken.and(ended)
    })
}

/// Awaits a task. A panic in it is a bug and goes on here; nothing aborts tasks.
async fn join_task<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => futures::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_the_work_though_it_ends_in_another() {
        let width = ConcurrencyLimits {
            running: NonZeroUsize::new(4).unwrap(),
            window: NonZeroUsize::new(16).unwrap(),
        };
        let (open, gate) = tokio::sync::watch::channel(false);
        let results: Vec<usize> = run_in_order(futures::stream::iter(0..50), width, move |n| {
            let (open, mut gate) = (open.clone(), gate.clone());
            async move {
                if n == 0 {
                    // The first piece of work ends only after the third has run.
                    gate.wait_for(|open| *open).await.unwrap();
                } else if n == 3 {
                    open.send_replace(true);
                }
                n
            }
        })
        .collect()
        .await;
        assert_eq!(results, (0..50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_piece_that_waits_does_not_hold_back_those_behind_it() {
        let (open, gate) = tokio::sync::watch::channel(false);
        let at_once = NonZeroUsize::new(2).unwrap();
        let results: Vec<usize> = run_unordered(futures::stream::iter(0..50), at_once, move |n| {
            let (open, mut gate) = (open.clone(), gate.clone());
            async move {
                if n == 0 {
                    // The first piece of work ends only after the last has run.
                    gate.wait_for(|open| *open).await.unwrap();
                } else if n == 49 {
                    open.send_replace(true);
                }
                n
            }
        })
        .collect()
        .await;
        assert_eq!(results.last(), Some(&0));
        assert_eq!(results.len(), 50);
    }
}
