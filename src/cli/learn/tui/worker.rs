//! The background thread that judges, so that the terminal never waits.

use anyhow::Result;
use heisenbug_course::compile::Library;
use heisenbug_course::judge::{Limits, judge};
use heisenbug_course::watch::Watch;
use heisenbug_course::{Course, Exercise, Judgement};
use heisenbug_isolated::Observer;
use ratatui::crossterm::event::{Event, KeyEvent, KeyEventKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A message to the terminal from another thread.
pub enum News {
    /// A key was pressed.
    Key(KeyEvent),
    /// The window was resized.
    Resized,
    /// Files were saved.
    Saved(Vec<String>),
    /// The library is built, or cannot be.
    Built(Result<(), String>),
    /// What the build of the library waits for.
    Waits(String),
    /// The number of a run, and its executions so far.
    Progress(u64, u64),
    /// The number of a run, and its result.
    Judged(u64, Result<Judgement, String>),
    /// A background thread died.
    Lost(&'static str),
}

/// Judges exercises one at a time; a new one replaces the previous one.
pub struct Worker {
    orders: Option<Sender<(u64, Exercise)>>,
    wanted: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// No run is wanted.
const NONE: u64 = 0;

/// The run that is wanted from the beginning: building the library.
const BUILD: u64 = u64::MAX;

/// Follows a run for as long as it is the wanted one.
struct Waiting<'a> {
    run: u64,
    wanted: &'a AtomicU64,
    news: &'a Sender<News>,
}

impl Observer for Waiting<'_> {
    fn see(&self, executions: u64) {
        let _ = self.news.send(News::Progress(self.run, executions));
    }

    fn waits(&self, for_whom: &str) {
        let _ = self.news.send(News::Waits(for_whom.to_owned()));
    }

    fn has_left(&self) -> bool {
        self.wanted.load(Relaxed) != self.run
    }
}

impl Worker {
    /// Starts the thread, which first builds the library.
    pub fn start(
        course: Course,
        folder: PathBuf,
        limits: Limits,
        colour: bool,
        news: Sender<News>,
    ) -> Worker {
        let (orders, queue) = channel::<(u64, Exercise)>();
        let wanted = Arc::new(AtomicU64::new(BUILD));
        let thread = std::thread::spawn({
            let wanted = Arc::clone(&wanted);
            move || {
                let waiting = |run| Waiting {
                    run,
                    wanted: &wanted,
                    news: &news,
                };
                let guard = Guard(&news);
                let library = match Library::build(&waiting(BUILD)) {
                    Ok(library) => library,
                    Err(error) => {
                        let _ = news.send(News::Built(Err(format!("{error:#}"))));
                        return;
                    }
                };
                let _ = news.send(News::Built(Ok(())));
                for (run, exercise) in queue {
                    let waiting = waiting(run);
                    if waiting.has_left() {
                        continue;
                    }
                    let judgement = judge(
                        &library, &course, &exercise, &folder, limits, colour, &waiting,
                    );
                    let judgement = judgement.map_err(|error| format!("{error:#}"));
                    // A run that is no longer wanted has no result.
                    if !waiting.has_left() {
                        let _ = news.send(News::Judged(run, judgement));
                    }
                }
                drop(guard);
            }
        });
        Worker {
            orders: Some(orders),
            wanted,
            thread: Some(thread),
        }
    }

    /// Judges an exercise, and cancels any other run.
    pub fn judge(&self, run: u64, exercise: Exercise) {
        self.wanted.store(run, Relaxed);
        if let Some(orders) = &self.orders {
            // A thread that has ended has reported that itself.
            let _ = orders.send((run, exercise));
        }
    }

    /// Cancels the current run.
    pub fn stop(&self) {
        self.wanted.store(NONE, Relaxed);
    }
}

impl Drop for Worker {
    /// Ends the current run, so that no child process is left behind.
    fn drop(&mut self) {
        self.stop();
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reports a panic of the worker's thread.
struct Guard<'a>(&'a Sender<News>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(News::Lost("the judge"));
        }
    }
}

/// Reports each key. The thread ends with the process, because nothing wakes it from reading.
pub fn read_keys(news: Sender<News>) {
    std::thread::spawn(move || {
        loop {
            let heard = match ratatui::crossterm::event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => News::Key(key),
                Ok(Event::Resize(..)) => News::Resized,
                Ok(_) => continue,
                Err(_) => News::Lost("the terminal"),
            };
            let lost = matches!(heard, News::Lost(_));
            if news.send(heard).is_err() || lost {
                return;
            }
        }
    });
}

/// Reports the files that are saved.
pub fn watch(watch: Watch, news: Sender<News>) {
    /// How long to listen at a time. A save is reported at once.
    const LISTEN: Duration = Duration::from_secs(3600);
    std::thread::spawn(move || {
        loop {
            let names = watch.saved(LISTEN);
            if !names.is_empty() && news.send(News::Saved(names)).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use heisenbug_course::home;

    #[test]
    fn orders_are_judged_and_what_is_stopped_has_no_result() {
        let course = Course::read(&home::course().unwrap()).unwrap();
        let exercise = course.exercises[0].clone();
        let (sender, news) = channel();
        let worker = Worker::start(
            course.clone(),
            course.folder.clone(),
            Limits::default(),
            false,
            sender,
        );
        let built = news.iter().find_map(|told| match told {
            News::Built(built) => Some(built),
            _ => None,
        });
        assert_eq!(built, Some(Ok(())), "first comes the library");
        worker.judge(1, exercise.clone());
        let judgement = news.iter().find_map(|told| match told {
            News::Judged(1, judgement) => Some(judgement),
            _ => None,
        });
        // It may pass or fail: the files in this folder may have been edited.
        assert!(judgement.unwrap().is_ok());
        worker.judge(2, exercise);
        worker.stop();
        drop(worker);
        assert!(!news.iter().any(|told| matches!(told, News::Judged(..))));
    }
}
