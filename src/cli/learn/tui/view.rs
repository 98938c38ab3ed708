//! The pages, and the state of each of them.

use heisenbug_course::Exercise;

/// The page that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// The page to work on: the last verdict, a hint, the status.
    Work,
    /// The same, with the question whether to reset.
    Confirm,
    /// The list of exercises.
    List(List),
    /// The solution beside the learner's file.
    Solution(Solution),
    /// All exercises, being checked.
    Sweep(Sweep),
    /// The help page.
    Help(Scroll),
    /// The page for a learner who has done every exercise.
    Closing,
}

/// The visible part of a long text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The first visible line.
    pub top: usize,
    /// How many lines there are, and how many fit: as drawn last.
    pub lines: usize,
    pub page: usize,
}

/// A step through a text or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

impl Step {
    /// Where the step leads from `place`, if `last` is the last place and a page has `page` places.
    pub fn from(self, place: usize, last: usize, page: usize) -> usize {
        let to = match self {
            Step::Up => place.saturating_sub(1),
            Step::Down => place + 1,
            Step::PageUp => place.saturating_sub(page.max(1)),
            Step::PageDown => place + page.max(1),
            Step::Home => 0,
            Step::End => last,
        };
        to.min(last)
    }
}

impl Scroll {
    /// Scrolls by a step.
    pub fn step(&mut self, step: Step) {
        // One line stays visible, so that the eye finds its place again.
        self.top = step.from(self.top, self.last(), self.page.saturating_sub(1));
    }

    /// Notes how many lines there are, and how many rows to draw them on.
    pub fn fit(&mut self, lines: usize, page: usize) {
        (self.lines, self.page) = (lines, page);
        self.top = self.top.min(self.last());
    }

    /// The last line that can be the first visible one.
    pub fn last(&self) -> usize {
        self.lines.saturating_sub(self.page)
    }
}

/// Which exercises are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Those not proven.
    Open,
    /// Those proven.
    Done,
    /// All.
    #[default]
    All,
}

impl Filter {
    /// The filters, in the order in which they are shown.
    pub const EACH: [(Filter, &'static str); 3] = [
        (Filter::All, "all"),
        (Filter::Open, "open"),
        (Filter::Done, "done"),
    ];

    /// The next filter.
    pub fn next(self) -> Filter {
        match self {
            Filter::All => Filter::Open,
            Filter::Open => Filter::Done,
            Filter::Done => Filter::All,
        }
    }
}

/// The list of exercises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Which are listed.
    pub filter: Filter,
    /// The text to search for.
    pub search: String,
    /// Whether letters go into the search.
    pub typing: bool,
    /// The exercise that is chosen, by its number in the course.
    pub chosen: usize,
    /// Where the list is scrolled to.
    pub scroll: Scroll,
}

impl List {
    /// The list, with an exercise chosen.
    pub fn at(chosen: usize) -> List {
        List {
            chosen,
            ..List::default()
        }
    }

    /// Whether any of the texts contains the text that is searched for.
    fn mentioned(&self, texts: &[&String]) -> bool {
        let wanted = self.search.to_lowercase();
        { texts.iter() }.any(|text| text.to_lowercase().contains(&wanted))
    }

    /// The numbers of the exercises that are listed.
    pub fn shown(&self, exercises: &[Exercise], is_done: impl Fn(usize) -> bool) -> Vec<usize> {
        let shown = (0..exercises.len()).filter(|&nth| {
            let exercise = &exercises[nth];
            let listed = match self.filter {
                Filter::All => true,
                Filter::Open => !is_done(nth),
                Filter::Done => is_done(nth),
            };
            listed && self.mentioned(&[&exercise.name, &exercise.title, &exercise.concept])
        });
        shown.collect()
    }

    /// Chooses an exercise that was found: by its name or title first, otherwise by its concept.
    pub fn choose_found(&mut self, shown: &[usize], exercises: &[Exercise]) {
        let is_called = |&&nth: &&usize| {
            let exercise = &exercises[nth];
            self.mentioned(&[&exercise.name, &exercise.title])
        };
        if let Some(&found) = shown.iter().find(is_called).or(shown.first()) {
            self.chosen = found;
        }
    }

    /// Moves the choice within the shown exercises; if it is not one of them, to the first.
    pub fn choose(&mut self, shown: &[usize], step: Option<Step>) {
        let Some(last) = shown.len().checked_sub(1) else {
            return;
        };
        let place = shown.iter().position(|&nth| nth == self.chosen);
        self.chosen = shown[match (place, step) {
            (None, _) => 0,
            (Some(place), None) => place,
            (Some(place), Some(step)) => step.from(place, last, self.scroll.page),
        }];
    }
}

/// The learner's file and the solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The lines of both, with shared lines side by side.
    pub rows: Vec<Row>,
    /// Where they are scrolled to.
    pub scroll: Scroll,
}

/// A line of the learner's file, and one of the solution.
pub type Row = (Option<String>, Option<String>);

impl Solution {
    /// Puts two texts side by side.
    pub fn new(yours: String, ours: String) -> Solution {
        Solution {
            rows: beside(
                &yours.lines().collect::<Vec<_>>(),
                &ours.lines().collect::<Vec<_>>(),
            ),
            scroll: Scroll::default(),
        }
    }
}

/// The lines of two texts, with as many equal lines as possible side by side.
fn beside(left: &[&str], right: &[&str]) -> Vec<Row> {
    // For each pair of places: how many lines the two texts share from there on.
    let mut shared = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            shared[i][j] = match left[i] == right[j] {
                true => shared[i + 1][j + 1] + 1,
                false => shared[i + 1][j].max(shared[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::new();
    let mut changed = (Vec::new(), Vec::new());
    while i < left.len() || j < right.len() {
        let both = i < left.len() && j < right.len();
        if both && left[i] == right[j] {
            pair(&mut rows, &mut changed);
            rows.push((Some(left[i].to_owned()), Some(right[j].to_owned())));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || (both && shared[i + 1][j] >= shared[i][j + 1]) {
            changed.0.push(left[i].to_owned());
            i += 1;
        } else {
            changed.1.push(right[j].to_owned());
            j += 1;
        }
    }
    pair(&mut rows, &mut changed);
    rows
}

/// Puts lines that differ side by side, in order.
fn pair(rows: &mut Vec<Row>, changed: &mut (Vec<String>, Vec<String>)) {
    let count = changed.0.len().max(changed.1.len());
    let (mut left, mut right) = (changed.0.drain(..), changed.1.drain(..));
    rows.extend((0..count).map(|_| (left.next(), right.next())));
}

/// All exercises, being checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The results so far, in the course's order.
    pub results: Vec<Swept>,
    /// Whether the learner stopped it.
    pub stopped: bool,
    /// Where the results are scrolled to.
    pub scroll: Scroll,
}

/// The result for one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It is proven.
    Proven,
    /// It is not proven, and why.
    Not(String),
}
