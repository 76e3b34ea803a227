//! The stages of a run: each is an event at its beginning and its end, and a span of the report of `--timings`.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::event::{ArtifactFacts, Event, Listener, Output, StageEnd, Unit};
use super::log::Log;
use super::stage_task::StageTask;
use super::usage::{FromCache, Span, Spans, Usage};

/// The time between two looks at a growing file.
const SAMPLE: Duration = Duration::from_millis(500);

/// Sends events to the listener, one at a time.
pub(super) struct Progress {
    output: Mutex<Output>,
    colored: bool,
    owns_stdout: bool,
    stages: AtomicU64,
    artifacts: Mutex<Vec<ArtifactFacts>>,
}

/// Counts the bytes of a stage, and reports them now and then.
pub struct Meter<'a> {
    stage: &'a RunningStage<'a>,
    total: u64,
    /// The bytes so far, and when they were reported.
    state: Mutex<(u64, Instant)>,
}

impl Meter<'_> {
    /// Counts more bytes.
    pub fn add(&self, count: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += count;
        if state.1.elapsed() >= SAMPLE {
            state.1 = Instant::now();
            let done = if self.total > 0 { state.0.min(self.total) } else { state.0 };
            self.stage.advance(done, self.total, Unit::Bytes);
        }
    }

    /// Returns a reader that counts what is read from `inner`.
    pub fn reading<R>(&self, inner: R) -> Metered<'_, R> {
        Metered { meter: self, inner }
    }
}

/// A reader whose bytes are counted.
pub struct Metered<'a, R> {
    meter: &'a Meter<'a>,
    inner: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.add(count as u64);
        Ok(count)
    }
}

/// Runs `work`, and calls `report` now and then meanwhile.
pub fn sampled<T>(report: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    let (ended, over) = mpsc::channel::<()>();
    let report = &report;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while over.recv_timeout(SAMPLE) == Err(RecvTimeoutError::Timeout) {
                report();
            }
        });
        let result = work();
        drop(ended);
        result
    })
}

/// A piece of work that is going on.
pub struct RunningStage<'a> {
    progress: &'a Progress,
    spans: &'a Spans,
    log: &'a Log,
    before: (f64, Usage),
    cache: Option<FromCache>,
    cached: Option<&'static str>,
    id: u64,
    task: StageTask,
    name: String,
    started: Instant,
    finished: bool,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        let owns_stdout = matches!(&output, Output::To(listener) if listener.owns_stdout());
        let colored = match &output {
            Output::Quiet => false,
            Output::To(listener) => listener.is_colored(),
        };
        Self {
            output: Mutex::new(output),
            colored,
            owns_stdout,
            stages: AtomicU64::new(1),
            artifacts: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn stage<'a>(
        &'a self,
        task: StageTask,
        name: String,
        spans: &'a Spans,
        log: &'a Log,
    ) -> RunningStage<'a> {
        let id = self.stages.fetch_add(1, Ordering::SeqCst);
        self.event(&Event::StageStarted { id, task, name: name.clone(), time: now() });
        let before = (spans.now(), Usage::so_far());
        RunningStage {
            progress: self,
            spans,
            log,
            before,
            cache: None,
            cached: None,
            id,
            task,
            name,
            started: Instant::now(),
            finished: false,
        }
    }

    pub(super) fn event(&self, event: &Event) {
        match &*self.output.lock().unwrap_or_else(PoisonError::into_inner) {
            Output::Quiet => {}
            Output::To(listener) => listener.event(event),
        }
    }

    pub(super) fn artifact(&self, artifact: ArtifactFacts) {
        self.event(&Event::Artifact(artifact.clone()));
        self.artifacts.lock().unwrap_or_else(PoisonError::into_inner).push(artifact);
    }

    pub(super) fn artifacts(&self) -> Vec<ArtifactFacts> {
        self.artifacts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops drawing while `work` has the terminal.
    pub(super) fn paused<T>(&self, work: impl FnOnce() -> T) -> T {
        self.tell(|listener| listener.pause());
        let result = work();
        self.tell(|listener| listener.resume());
        result
    }

    /// Stops drawing for good and clears what was drawn.
    pub(super) fn stop_drawing(&self) {
        self.tell(|listener| listener.pause());
    }

    fn tell(&self, what: impl FnOnce(&dyn Listener)) {
        if let Output::To(listener) = &*self.output.lock().unwrap_or_else(PoisonError::into_inner) {
            what(listener.as_ref());
        }
    }

    pub(super) fn is_colored(&self) -> bool {
        self.colored
    }

    pub(super) fn owns_stdout(&self) -> bool {
        self.owns_stdout
    }
}

impl RunningStage<'_> {
    /// Reports how far the work is.
    pub fn advance(&self, done: u64, total: u64, unit: Unit) {
        self.send(done, total, unit, None, (None, None));
    }

    /// Reports that `done` of `total` packages are done, and which one is next.
    pub fn advance_package(&self, done: usize, total: usize, name: &str) {
        self.send(done.min(total) as u64, total as u64, Unit::Packages, Some(name.to_owned()), (None, None));
    }

    /// Reports that `done` of `total` packages were transferred, and how many bytes of how many, if that is known.
    pub fn advance_transfer(&self, done: usize, total: usize, bytes: u64, bytes_total: Option<u64>) {
        let bytes = bytes_total.map_or(bytes, |total| bytes.min(total));
        let (done, total) = (done.min(total) as u64, total as u64);
        self.send(done, total, Unit::Packages, None, (Some(bytes), bytes_total));
    }

    fn send(
        &self,
        done: u64,
        total: u64,
        unit: Unit,
        detail: Option<String>,
        (bytes, bytes_total): (Option<u64>, Option<u64>),
    ) {
        let (id, name) = (self.id, self.name.clone());
        self.progress.event(&Event::Progress { id, name, done, total, unit, detail, bytes, bytes_total });
    }

    /// Runs `work` and reports meanwhile how much was written to the file `path`, of `total` bytes (0: unknown).
    pub fn while_growing<T>(&self, path: &Path, total: u64, work: impl FnOnce() -> T) -> T {
        let written = || path.metadata().map_or(0, |facts| facts.blocks() * 512);
        // Other parts of a disk may be in the file already.
        let before = written();
        let report = || {
            let written = written().saturating_sub(before);
            self.advance(if total > 0 { written.min(total) } else { written }, total, Unit::Bytes);
        };
        sampled(report, work)
    }

    /// Returns a counter of bytes that are read or written, of `total` (0: unknown).
    pub fn meter(&self, total: u64) -> Meter<'_> {
        Meter { stage: self, total, state: Mutex::new((0, Instant::now())) }
    }

    /// Marks the work as restoring or saving the stage with this keyword.
    #[must_use]
    pub fn of_cache(mut self, cache: FromCache, cached: &'static str) -> Self {
        self.cache = Some(cache);
        self.cached = Some(cached);
        self
    }

    /// Ends a stage that restores nothing, because its entry of the cache is damaged.
    pub fn finish_unrestored(mut self) {
        self.cache = None;
        self.finished = true;
    }

    /// Ends the stage as done. A stage that is dropped without this has failed.
    pub fn finish(mut self) {
        self.finished = true;
    }

    fn end(&self) -> StageEnd {
        match (self.finished, self.cache) {
            (false, _) => StageEnd::Failed,
            (true, Some(FromCache::Taken)) => StageEnd::Reused,
            (true, Some(FromCache::Kept) | None) => StageEnd::Finished,
        }
    }
}

impl Drop for RunningStage<'_> {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.spans.add(Span {
            name: self.name.clone(),
            start: self.before.0,
            end: self.spans.now(),
            usage: Usage::so_far().since(self.before.1),
            cache: self.cache,
            succeeded: self.finished,
        });
        let (id, task, name, end) = (self.id, self.task, self.name.clone(), self.end());
        let (time, cached) = (now(), self.cached);
        let shown = match end {
            StageEnd::Finished => "done",
            StageEnd::Reused => "from the cache",
            StageEnd::Failed => "failed",
        };
        self.log.line(&format!("<== {name}: {shown} ({seconds:.1} s)"));
        self.progress.event(&Event::StageFinished { id, task, name, time, seconds, end, cached });
    }
}
