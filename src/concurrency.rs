//! Bounded concurrency: the only place that spawns tasks and threads.
//!
//! A stream of bare futures makes progress only while its consumer polls it; behind a slow
//! consumer, healthy requests would time out. So every piece of work here is a task of its own.
//! Results come out in the order of the input, or as they finish where the order does not matter.

use std::cell::Cell;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Once};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Limits on concurrent work.
#[derive(Debug, Clone, Copy)]
pub struct ConcurrencyLimits {
    /// The number of pieces of work that run at once.
    pub workers: NonZeroUsize,
    /// The number of pieces of work that are started and not yet yielded. This bounds memory: a
    /// slow piece of work holds back at most this many finished ones.
    pub buffer: NonZeroUsize,
}

/// Runs `work` on each item, at most `limits.workers` at a time, and yields the results in order.
///
/// # Panics
///
/// A panic in `work` is passed on.
pub fn run_in_order<I, F, W>(
    items: I,
    limits: ConcurrencyLimits,
    work: W,
) -> impl Stream<Item = F::Output>
where
    I: Stream,
    I::Item: Send + 'static,
    W: Fn(I::Item) -> F + Send + Sync + 'static,
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (semaphore, work) = (Arc::new(Semaphore::new(limits.workers.get())), Arc::new(work));
    items
        .map(move |item| {
            let (semaphore, work) = (Arc::clone(&semaphore), Arc::clone(&work));
            join_task(tokio::spawn(async move {
                let _permit = semaphore.acquire().await.expect("the seats are never closed");
                // Created only now, on the heap: a queued future would otherwise take its full size
                // thousands of times.
                Box::pin(work(item)).await
            }))
        })
        .buffered(limits.buffer.get())
}

/// Runs `work` on each item, at most `at_once` at a time, and yields the results as they finish: a
/// slow piece of work occupies its own slot but holds back nothing else. A panic in `work` is
/// passed on.
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

/// Runs blocking work (files, SQLite, Parquet) on a blocking thread.
pub async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    join_task(tokio::task::spawn_blocking(work)).await
}

/// Checks that the system gives the program this many threads more: where it gives fewer, work would wait for ever for
/// other work.
///
/// # Errors
/// When it does not.
pub fn ensure_threads(count: usize) -> std::io::Result<()> {
    let mut senders = Vec::with_capacity(count);
    for _ in 0..count {
        let (end, ended) = sync_channel::<()>(0);
        // Each lasts until all of them have begun.
        let wait = move || {
            let _ = ended.recv();
        };
        std::thread::Builder::new().spawn(wait)?;
        senders.push(end);
    }
    Ok(())
}

/// Starts blocking work that lasts as long as a run, on a thread of its own: on the threads for short work it would take
/// the place of what it waits for. The future waits for its end; a panic in the work is passed on.
///
/// # Errors
/// When the system gives no thread.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<impl Future<Output = T>> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = move || {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // The receiver is gone only if the whole run is.
        drop(sender.send(ended));
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(async {
        match receiver.await {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => futures::future::pending().await,
        }
    })
}

/// Runs `work` on each item in one task, at most `at_once` at a time, and returns the results as they finish. For work
/// that only waits for tasks and threads of its own.
pub async fn run_within_task<I, F: Future>(
    items: impl IntoIterator<Item = I>,
    at_once: NonZeroUsize,
    work: impl Fn(I) -> F,
) -> Vec<F::Output> {
    futures::stream::iter(items).map(work).buffer_unordered(at_once.get()).collect().await
}

/// Runs work to its end, even if the caller stops waiting for it.
pub async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    join_task(tokio::spawn(work)).await
}

/// Runs blocking work that may never end, with a time limit; None if it takes longer or panics. The
/// thread is then abandoned.
pub fn run_with_timeout<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || drop(sender.send(work())));
    receiver.recv_timeout(limit).ok()
}

/// Runs `work` on a thread of its own, with a pause after each time, until it returns true.
pub fn repeat_until(pause: Duration, mut work: impl FnMut() -> bool + Send + 'static) {
    std::thread::spawn(move || {
        while !work() {
            std::thread::sleep(pause);
        }
    });
}

/// Work that is repeated in a task while this value lives.
#[derive(Debug)]
#[must_use]
pub struct RepeatedTask(JoinHandle<()>);

impl Drop for RepeatedTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Repeats short work in a task, at once and after each interval.
pub fn repeat_in_task(interval: Duration, mut work: impl FnMut() + Send + 'static) -> RepeatedTask {
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
    RepeatedTask(tokio::spawn(async move {
        loop {
            ticks.tick().await;
            work();
        }
    }))
}

/// Runs a blocking producer and consumer concurrently; at most `depth` items wait between them. The
/// consumer handles items in the order they were produced. If it fails, its error is returned, and
/// the producer notices because its next send fails. A panic in either is passed on.
pub fn run_pipeline<T: Send, E: Send>(
    depth: usize,
    make: impl FnOnce(&SyncSender<T>) -> Result<(), E> + Send,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(depth);
        let producer = scope.spawn(move || make(&sender));
        let handled = receiver.iter().try_for_each(&mut take);
        drop(receiver);
        let outcome = producer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        handled.and(outcome)
    })
}

/// Most threads that work on items in parallel: more need memory for little.
const MOST_THREADS: usize = 8;
/// Fewer items than this for each thread are not worth it.
const LEAST_ITEMS: usize = 250;

/// Runs work on all items, on as many threads as the machine has for it, and returns the results in the order of the
/// items. `start` makes what works on the items of one thread. A panic in it is passed on.
pub fn map_in_parallel<I: Sync, T: Send, W: FnMut(&I) -> T>(
    items: &[I],
    start: impl Fn() -> W + Sync,
) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = threads.min(MOST_THREADS).min(items.len() / LEAST_ITEMS);
    if threads <= 1 {
        return items.iter().map(start()).collect();
    }
    std::thread::scope(|scope| {
        let work = |part| {
            let start = &start;
            move || -> Vec<T> { <[I]>::iter(part).map(start()).collect() }
        };
        let parts = items.chunks(items.len().div_ceil(threads));
        let spawn =
            |part| std::thread::Builder::new().spawn_scoped(scope, work(part)).map_err(|_| part);
        let others: Vec<_> = parts.clone().skip(1).map(spawn).collect();
        let mut results = parts.take(1).flat_map(|part| work(part)()).collect::<Vec<T>>();
        for other in others {
            match other {
                Ok(thread) => results
                    .extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
                // Where the system gives no thread, this one does the work.
                Err(part) => results.extend(work(part)()),
            }
        }
        results
    })
}

/// Awaits a task. A panic in it is a bug and is passed on; no task is ever aborted.
async fn join_task<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => futures::future::pending().await,
        },
    }
}

thread_local! {
    /// Whether a panic of this thread is expected, so that nothing is printed about it.
    static PANICS_ARE_SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` of a library that may panic on damaged data. Nothing about the panic is printed.
///
/// # Errors
/// The value that `work` panicked with. What `work` changed must not be used again.
pub(crate) fn catch_silently<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !PANICS_ARE_SILENT.get() {
                print(panic);
            }
        }));
    });
    let before = PANICS_ARE_SILENT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    PANICS_ARE_SILENT.set(before);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_the_work_though_it_ends_in_another() {
        let limits = ConcurrencyLimits {
            workers: NonZeroUsize::new(4).unwrap(),
            buffer: NonZeroUsize::new(16).unwrap(),
        };
        let (release, released) = tokio::sync::watch::channel(false);
        let results: Vec<usize> = run_in_order(futures::stream::iter(0..50), limits, move |n| {
            let (release, mut released) = (release.clone(), released.clone());
            async move {
                if n == 0 {
                    // The first piece of work ends only after the third has run.
                    released.wait_for(|release| *release).await.unwrap();
                } else if n == 3 {
                    release.send_replace(true);
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
        let (release, released) = tokio::sync::watch::channel(false);
        let at_once = NonZeroUsize::new(2).unwrap();
        let results: Vec<usize> = run_unordered(futures::stream::iter(0..50), at_once, move |n| {
            let (release, mut released) = (release.clone(), released.clone());
            async move {
                if n == 0 {
                    // The first piece of work ends only after the last has run.
                    released.wait_for(|release| *release).await.unwrap();
                } else if n == 49 {
                    release.send_replace(true);
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
