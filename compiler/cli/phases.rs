//! How long each phase of a build took, and a spinner while it runs.
//!
//! The library announces a phase by name when it begins; only this file looks at the clock, and nothing it learns
//! reaches an output file.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Phases in the order they first began, with the time spent in each.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    current: Option<(usize, Instant)>,
    spent: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    /// A phase begins; the one before it ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line measures time, for people only"
    )]
    pub(super) fn begin(&mut self, name: &'static str) {
        let now = Instant::now();
        self.end(now);
        let index = self.index(name);
        self.current = Some((index, now));
    }

    /// The last phase ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line measures time, for people only"
    )]
    pub(super) fn stop(&mut self) {
        self.end(Instant::now());
    }

    /// Adds what another stopwatch measured.
    pub(super) fn add(&mut self, other: &Self) {
        for (name, time) in &other.spent {
            let index = self.index(name);
            if let Some((_, spent)) = self.spent.get_mut(index) {
                *spent += *time;
            }
        }
    }

    /// The table of `--timings`: milliseconds of work per phase, over all cores.
    pub(super) fn table(&self) -> String {
        let mut text = String::from("phase          ms of work\n");
        let mut total = Duration::ZERO;
        for (name, spent) in &self.spent {
            total += *spent;
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name:<12} {:>12.1}", spent.as_secs_f64() * 1e3);
        }
        let _ = writeln!(text, "{:<12} {:>12.1}", "total", total.as_secs_f64() * 1e3);
        text
    }

    fn index(&mut self, name: &'static str) -> usize {
        self.spent
            .iter()
            .position(|(known, _)| *known == name)
            .unwrap_or_else(|| {
                self.spent.push((name, Duration::ZERO));
                self.spent.len() - 1
            })
    }

    fn end(&mut self, now: Instant) {
        if let Some((index, since)) = self.current.take()
            && let Some((_, spent)) = self.spent.get_mut(index)
        {
            *spent += now.duration_since(since);
        }
    }
}

/// A progress line on standard error, when that is a terminal.
pub(super) struct Progress {
    bar: Mutex<ProgressBar>,
}

impl Progress {
    /// With `visible`, a spinner when standard error is a terminal; nothing when it is piped.
    pub(super) fn new(visible: bool, total: usize) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(total).ok(), target);
        if !bar.is_hidden() {
            let template = if total > 1 {
                "{spinner} {pos}/{len} {elapsed} {msg}"
            } else {
                "{spinner} {elapsed} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar: Mutex::new(bar) }
    }

    /// Says what is done now.
    pub(super) fn phase(&self, subject: &str, name: &str) {
        self.with(|bar| {
            if !bar.is_hidden() {
                bar.set_message(format!("{subject}: {name}"));
            }
        });
    }

    /// One more inventory is done.
    pub(super) fn advance(&self) {
        self.with(|bar| bar.inc(1));
    }

    /// Runs `print` while the spinner is out of the way.
    pub(super) fn paused<T>(&self, print: impl FnOnce() -> T) -> T {
        match self.bar.lock() {
            Ok(bar) => bar.suspend(print),
            Err(_) => print(),
        }
    }

    /// The spinner goes away.
    pub(super) fn finish(&self) {
        self.with(ProgressBar::finish_and_clear);
    }

    fn with(&self, work: impl FnOnce(&ProgressBar)) {
        if let Ok(bar) = self.bar.lock() {
            work(&bar);
        }
    }
}
