//! Where judging is done, so that the terminal never waits for it.

use anyhow::Result;
use heisenbug_course::compile::Library;
use heisenbug_course::judge::{Limits, judge};
use heisenbug_course::watch::Watch;
use heisenbug_course::{Course, Exercise, Judgement};
use heisenbug_isolated::Onlooker;
use ratatui::crossterm::event::{Event, KeyEvent, KeyEventKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the terminal hears from others.
pub enum News {
    /// A key was pressed.
    Key(KeyEvent),
    /// The window has another size.
    Resized,
    /// Files were saved.
    Saved(Vec<String>),
    /// The library is built, or cannot be.
    Built(Result<(), String>),
    /// What is waited for, while the library is built.
    Waits(String),
    /// How many executions of a run there were so far.
    Progress(u64, u64),
    /// What came of a run.
    Judged(u64, Result<Judgement, String>),
    /// A background thread died.
    Lost(&'static str),
}

/// Judges one exercise after the other, each in place of the one before.
pub struct Worker {
    orders: Option<Sender<(u64, Exercise)>>,
    wanted: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// The run that nobody asks for.
const NONE: u64 = 0;

/// The run that is wanted from the beginning: building the library.
const BUILD: u64 = u64::MAX;

/// Waits for a run as long as it is the one that is wanted.
struct Waiting<'a> {
    run: u64,
    wanted: &'a AtomicU64,
    news: &'a Sender<News>,
}

impl Onlooker for Waiting<'_> {
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
    /// Begins with building the library.
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
                    // A run that nobody wants any more has no result.
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

    /// Judges an exercise, and nothing else any more.
    pub fn judge(&self, run: u64, exercise: Exercise) {
        self.wanted.store(run, Relaxed);
        if let Some(orders) = &self.orders {
            // A worker that is gone has said so.
            let _ = orders.send((run, exercise));
        }
    }

    /// Judges nothing any more.
    pub fn stop(&self) {
        self.wanted.store(NONE, Relaxed);
    }
}

impl Drop for Worker {
    /// Ends what is being done, so that no child is left behind.
    fn drop(&mut self) {
        self.stop();
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tells when the worker dies.
struct Guard<'a>(&'a Sender<News>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(News::Lost("the judge"));
        }
    }
}

/// Tells what is typed. The thread ends with the process, as nothing wakes it from reading.
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

/// Tells what is saved.
pub fn watch(watch: Watch, news: Sender<News>) {
    /// How long to listen at a time. Whatever is saved is told at once.
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
        // Whether it passes is up to whoever works in this folder.
        assert!(judgement.unwrap().is_ok());
        worker.judge(2, exercise);
        worker.stop();
        drop(worker);
        assert!(!news.iter().any(|told| matches!(told, News::Judged(..))));
    }
}
