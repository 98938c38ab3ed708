//! What each key does.

use super::state::{Effect, State};
use super::view::{Scroll, Step, View};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

impl State {
    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => vec![Effect::Quit],
                _ => Vec::new(),
            };
        }
        self.notice = None;
        match &mut self.view {
            View::Work | View::Closing => self.work(key.code),
            View::Confirm => self.confirm(key.code),
            View::List(_) => self.list(key.code),
            View::Solution(solution) => {
                let scroll = &mut solution.scroll;
                page(scroll, key.code).unwrap_or_else(|| self.leave(key.code, 's'))
            }
            View::Help(scroll) => {
                page(scroll, key.code).unwrap_or_else(|| self.leave(key.code, '?'))
            }
            View::Sweep(sweep) => {
                let scroll = &mut sweep.scroll;
                page(scroll, key.code).unwrap_or_else(|| match key.code {
                    KeyCode::Esc => self.stop_sweep(),
                    KeyCode::Enter if self.running.is_none() => self.stop_sweep(),
                    KeyCode::Char('q') => vec![Effect::Quit],
                    _ => Vec::new(),
                })
            }
        }
    }

    fn work(&mut self, key: KeyCode) -> Vec<Effect> {
        let closing = self.view == View::Closing;
        match key {
            KeyCode::Char('q') => return vec![Effect::Quit],
            KeyCode::Char('l') => self.open_list(),
            KeyCode::Char('c') => return self.sweep(),
            KeyCode::Char('?') => self.view = View::Help(Scroll::default()),
            KeyCode::Char('p') if closing => return self.go_to(self.current),
            _ if closing => {}
            KeyCode::Char('n') => return self.next(),
            KeyCode::Char('p') => return self.previous(),
            KeyCode::Char('h') => self.more_hints(),
            KeyCode::Char('r') => return self.judge(self.current),
            KeyCode::Char('s') => return self.open_solution(),
            KeyCode::Char('x') => self.view = View::Confirm,
            KeyCode::Esc => self.hint.open = false,
            key => {
                if let Some(step) = step(key) {
                    self.scroll.step(step);
                }
            }
        }
        Vec::new()
    }

    fn confirm(&mut self, key: KeyCode) -> Vec<Effect> {
        self.view = View::Work;
        match key {
            KeyCode::Char('y' | 'Y') => vec![Effect::Reset(self.current)],
            _ => {
                self.notice = Some("Nothing was reset.".to_owned());
                Vec::new()
            }
        }
    }

    /// A key on a page that is only read.
    fn leave(&mut self, key: KeyCode, same: char) -> Vec<Effect> {
        match key {
            KeyCode::Char('q') => return vec![Effect::Quit],
            KeyCode::Char('n') => return self.next(),
            KeyCode::Esc | KeyCode::Enter => self.back(),
            KeyCode::Char(key) if key == same => self.back(),
            _ => {}
        }
        Vec::new()
    }

    fn back(&mut self) {
        self.view = match self.verdict.is_none() && self.done() == self.place.course.exercises.len()
        {
            true => View::Closing,
            false => View::Work,
        };
    }

    fn list(&mut self, key: KeyCode) -> Vec<Effect> {
        let View::List(mut list) = self.view.clone() else {
            return Vec::new();
        };
        let (mut moved, mut searched) = (None, false);
        match key {
            KeyCode::Enter => {
                let shown = self.listed(&list);
                if shown.contains(&list.chosen) {
                    return self.go_to(list.chosen);
                }
            }
            KeyCode::Esc if list.typing || !list.search.is_empty() => {
                list.typing = false;
                list.search.clear();
            }
            KeyCode::Esc => {
                self.back();
                return Vec::new();
            }
            KeyCode::Tab => list.filter = list.filter.next(),
            KeyCode::Backspace if list.typing => {
                list.search.pop();
                searched = true;
            }
            KeyCode::Char(c) if list.typing => {
                list.search.push(c);
                searched = true;
            }
            KeyCode::Char('/') => list.typing = true,
            KeyCode::Char('q') => return vec![Effect::Quit],
            KeyCode::Char('l') => {
                self.back();
                return Vec::new();
            }
            key => moved = step(key),
        }
        let shown = self.listed(&list);
        match searched {
            true => list.choose_found(&shown, &self.place.course.exercises),
            false => list.choose(&shown, moved),
        }
        self.view = View::List(list);
        Vec::new()
    }

    /// The exercises that a list shows.
    pub fn listed(&self, list: &super::view::List) -> Vec<usize> {
        list.shown(&self.place.course.exercises, |nth| self.is_done(nth))
    }
}

/// Scrolls, if the key is one that scrolls.
fn page(scroll: &mut Scroll, key: KeyCode) -> Option<Vec<Effect>> {
    scroll.step(step(key)?);
    Some(Vec::new())
}

fn step(key: KeyCode) -> Option<Step> {
    Some(match key {
        KeyCode::Up | KeyCode::Char('k') => Step::Up,
        KeyCode::Down | KeyCode::Char('j') => Step::Down,
        KeyCode::PageUp => Step::PageUp,
        KeyCode::PageDown | KeyCode::Char(' ') => Step::PageDown,
        KeyCode::Home => Step::Home,
        KeyCode::End => Step::End,
        _ => return None,
    })
}
