//! What is shown, and what the keys do, without a terminal.

use super::draw::draw;
use super::state::{Effect, State, Tools};
use super::view::{Solution, Step, View};
use expect_test::{Expect, expect};
use heisenbug_catalogue::Class;
use heisenbug_check::Checker;
use heisenbug_course::Judgement;
use heisenbug_course::judge::Limits;
use heisenbug_course::manifest::{Course, Exercise, Failure};
use heisenbug_course::progress::Progress;
use heisenbug_course::workplace::Workplace;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;
use ratatui::{Terminal, buffer::Buffer};
use std::time::Duration;

fn exercise(name: &str, title: &str, concept: &str) -> Exercise {
    let hints = [
        "Look at the two lines between which others can do all of their work.",
        "What is stored was read a step before.",
        "Look for `fetch_` in the documentation.",
        "Main reads 0, the side door reads 0 and stores 1, main stores 1: two came, and it says 1.",
    ];
    Exercise {
        name: name.to_owned(),
        title: title.to_owned(),
        concept: concept.to_owned(),
        bug: None,
        fails: Failure::Class(Class::Assertion),
        outcome: None,
        hints: hints.map(str::to_owned).into(),
        weakest_orderings: false,
        traps: Vec::new(),
        survivors: Vec::new(),
    }
}

/// A course of three exercises, of which none is done, with everything built.
fn state() -> State {
    let place = Workplace {
        course: Course {
            folder: "/course".into(),
            title: "Fix what two threads break".to_owned(),
            exercises: vec![
                exercise(
                    "lost_update",
                    "Every visitor counts",
                    "Two steps are two steps.",
                ),
                exercise("torn_read", "Half a page", "Two variables are two."),
                exercise(
                    "deadlock",
                    "Two keys",
                    "An order of locks is an order for all.",
                ),
            ],
        },
        folder: "/home/ada/races".into(),
        progress: Progress::default(),
        limits: Limits::default(),
        warning: None,
    };
    let mut state = State::new(place, true);
    state.tools = Tools::Ready;
    state
}

/// What the loop does outside of the state, as far as the state can see it.
fn perform(state: &mut State, effects: &[Effect]) {
    for effect in effects {
        let name = |nth: &usize| state.place.course.exercises[*nth].name.clone();
        match effect {
            Effect::Finish(nth) => {
                let name = name(nth);
                state.place.progress.finish(&name);
            }
            Effect::Reopen(nth) => {
                let name = name(nth);
                state.place.progress.reopen(&name);
            }
            _ => {}
        }
    }
}

fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    let effects = state.key(KeyEvent::new(code, KeyModifiers::NONE));
    perform(state, &effects);
    effects
}

fn type_in(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|c| press(state, KeyCode::Char(c)))
        .collect()
}

/// The run in progress ends with this judgement.
fn judged(state: &mut State, judgement: Judgement) -> Vec<Effect> {
    let run = state.running.expect("something is judged").run;
    state.now += Duration::from_millis(700);
    let effects = state.judged(run, Ok(judgement));
    perform(state, &effects);
    effects
}

fn saved(state: &mut State) {
    let name = state.exercise().file();
    state.saved(&[name]);
}

fn variant(name: &str) -> heisenbug_check::Report {
    let bug = { heisenbug_worlds::all() }
        .find(|bug| bug.name == "lost-update")
        .unwrap();
    let mut report = Checker::new().check_variant(bug, bug.variant(name).unwrap());
    report.variant = None;
    report.millis = 3;
    report
}

fn failing() -> Judgement {
    Judgement::Failed(Box::new(variant("buggy")))
}

fn passing() -> Judgement {
    Judgement::Passed {
        reports: vec![variant("fixed_fetch_add")],
        notes: Vec::new(),
    }
}

fn drawn(state: &mut State, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().buffer().clone()
}

fn screen(state: &mut State, columns: u16, rows: u16) -> String {
    let buffer = drawn(state, columns, rows);
    let lines = buffer.content.chunks(usize::from(columns)).map(|row| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

#[track_caller]
fn shows(state: &mut State, columns: u16, rows: u16, expected: Expect) {
    expected.assert_eq(&screen(state, columns, rows));
}

#[test]
fn a_failure_is_shown_with_its_timeline() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
            Fix what two threads break                      ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0 of 3 done
            lost_update: Every visitor counts                                exercise 1 of 3
            edit /home/ada/races/lost_update.rs
            ────────────────────────────────────────────────────────────────────────────────
            FAILS: an interleaving bug, 1 preemption
              Both threads read the same count, so one of the two visitors was lost

              outcome    grade       executions   of 4
              1 counted  forbidden            2  50.0%
              2 counted  acceptable           2  50.0%

              line  src/bugs/threads/lost_update.rs          main          side door
                37  let seen = self.visitors.load(Relaxed);  visitors ➜ 0
                37  let seen = self.visitors.load(Relaxed);                visitors ➜ 0
                38  self.visitors.store(seen + 1, Relaxed);                visitors = 1
                38  self.visitors.store(seen + 1, Relaxed);  visitors = 1
                42  self.visitors.load(Relaxed)              visitors ➜ 1
              Main was interrupted between its load in line 37 and its store in line 38;
              meanwhile side door set visitors to 1.
              Exhaustive: 4 executions, in 3 ms.

            ────────────────────────────────────────────────────────────────────────────────
            ✗ not yet: assertion, "1 counted", in 0.7 s
            n next  h hint  l list  r again  x reset  s solution  q quit  ? help
        "#]],
    );
}

#[test]
fn a_hint_stands_below_the_verdict() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    type_in(&mut state, "hhhh");
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
            Fix what two threads break                      ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0 of 3 done
            lost_update: Every visitor counts                                exercise 1 of 3
            edit /home/ada/races/lost_update.rs
            ────────────────────────────────────────────────────────────────────────────────
            FAILS: an interleaving bug, 1 preemption
              Both threads read the same count, so one of the two visitors was lost

              outcome    grade       executions   of 4
              1 counted  forbidden            2  50.0%
              2 counted  acceptable           2  50.0%

              line  src/bugs/threads/lost_update.rs          main          side door
                37  let seen = self.visitors.load(Relaxed);  visitors ➜ 0
                37  let seen = self.visitors.load(Relaxed);                visitors ➜ 0
                38  self.visitors.store(seen + 1, Relaxed);                visitors = 1
                38  self.visitors.store(seen + 1, Relaxed);  visitors = 1
                42  self.visitors.load(Relaxed)              visitors ➜ 1
              Main was interrupted between its load in line 37 and its store in line 38;
              meanwhile side door set visitors to 1.
            ───────────────────────────────────────────────────────────── ↓ 15 of 16 lines ─
            Hint 4 of 4: Main reads 0 from visitors. Side door reads 0 from visitors and
            sets visitors to 1. Main sets visitors to 1 and reads 1 from visitors.
            ✗ not yet: assertion, "1 counted", in 0.7 s
            n next  h hint  l list  r again  x reset  s solution  q quit  ? help
        "#]],
    );
}

#[test]
fn what_was_proven_says_how_to_go_on() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, passing());
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
            Fix what two threads break                      ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 1 of 3 done
            lost_update: Every visitor counts                                exercise 1 of 3
            edit /home/ada/races/lost_update.rs
            ────────────────────────────────────────────────────────────────────────────────
            lost_update PROVEN
              It holds in all 2 executions that the orderings allow.
              Two steps are two steps.

              n goes to the next. s shows a solution beside yours.












            ────────────────────────────────────────────────────────────────────────────────
            ✓ proven, in 0.7 s
            n next  h hint  l list  r again  x reset  s solution  q quit  ? help
        "#]],
    );
}

#[test]
fn the_list_is_searched() {
    let mut state = state();
    type_in(&mut state, "l/two");
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
        Fix what two threads break                      ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0 of 3 done
        lost_update: Every visitor counts                                exercise 1 of 3
        edit /home/ada/races/lost_update.rs
        ────────────────────────────────────────────────────────────────────────────────
        [all]  open   done   /two▏
          ▶ lost_update  Every visitor counts
            torn_read    Half a page
        >   deadlock     Two keys













        ────────────────────────────────────────────────────────────────────────────────
        waiting for a save
        Enter go there  ↑↓ choose  Tab filter  Esc no search
    "#]],
    );
}

#[test]
fn a_narrow_window_shows_what_matters() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    shows(
        &mut state,
        50,
        15,
        expect![[r#"
            lost_update                         1 of 3, 0 done
            edit /home/ada/races/lost_update.rs
            FAILS: an interleaving bug, 1 preemption
              Both threads read the same count, so one of the
              two visitors was lost

              outcome    grade       executions   of 4
              1 counted  forbidden            2  50.0%
              2 counted  acceptable           2  50.0%

              line    main          side door
                37    visitors ➜ 0
            ─────────────────────────────── ↓ 10 of 22 lines ─
            ✗ not yet: assertion, "1 counted", in 0.7 s
            n next  h hint  l list  r again  q quit  ? help
        "#]],
    );
}

#[test]
fn results_stay_while_the_next_ones_are_made() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    saved(&mut state);
    let run = state.running.unwrap().run;
    state.progressed(run, 1234);
    state.now += Duration::from_millis(1500);
    let screen = screen(&mut state, 80, 24);
    assert!(
        screen.contains("One of the two") || screen.contains("FAILS"),
        "{screen}"
    );
    assert!(
        screen.contains("judging… 1,234 executions, 1.5 s"),
        "{screen}"
    );
}

#[test]
fn the_first_build_is_shown() {
    let mut state = state();
    state.tools = Tools::Building(Duration::ZERO);
    state.now = Duration::from_secs(12);
    let screen = screen(&mut state, 80, 24);
    assert!(screen.contains("is being built"), "{screen}");
    assert!(screen.contains("building… 12.0 s"), "{screen}");
    assert!(!state.tools_are(Ok(())).is_empty());
}

#[test]
fn the_end_is_calm() {
    let mut state = state();
    for _ in 0..3 {
        saved(&mut state);
        judged(&mut state, passing());
        press(&mut state, KeyCode::Char('n'));
    }
    assert_eq!(state.view, View::Closing);
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
        Fix what two threads break                      ━━━━━━━━━━━━━━━━━━━━ 3 of 3 done
        ────────────────────────────────────────────────────────────────────────────────

        Done.

          Every exercise of “Fix what two threads break” is proven: all 3, over
          all their schedules.

          Look back: l lists them, and s shows a solution beside yours. Continue
          with your own code: `heisenbug new FILE` creates a small program,
          `heisenbug try FILE` checks it like these.











        ────────────────────────────────────────────────────────────────────────────────
        l list  c check all  q quit  ? help
    "#]],
    );
}

#[test]
fn two_files_stand_beside_each_other_or_below() {
    let mut state = state();
    state.view = View::Solution(Solution::new(
        "fn f() {\n    load();\n    store();\n}\n".to_owned(),
        "fn f() {\n    fetch_add();\n}\n".to_owned(),
    ));
    shows(
        &mut state,
        100,
        14,
        expect![[r#"
        lost_update                                                                           1 of 3, 0 done
        edit /home/ada/races/lost_update.rs
        lost_update.rs                                   │ a solution
        fn f() {                                         │ fn f() {
            load();                                      │     fetch_add();
            store();                                     │
        }                                                │ }





        ────────────────────────────────────────────────────────────────────────────────────────────────────
        ↑↓ scroll  n next  Esc back  q quit
    "#]],
    );
    shows(
        &mut state,
        60,
        20,
        expect![[r#"
        Fix what two threads break       ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0 of 3 done
        lost_update: Every visitor counts            exercise 1 of 3
        edit /home/ada/races/lost_update.rs
        ────────────────────────────────────────────────────────────
        A solution
        fn f() {
            fetch_add();
        }

        Yours: lost_update.rs
        fn f() {
            load();
            store();
        }




        ────────────────────────────────────────────────────────────
        ↑↓ scroll  n next  Esc back  q quit
    "#]],
    );
}

#[test]
fn no_window_is_too_small() {
    let mut states = [
        state(),
        state(),
        state(),
        state(),
        state(),
        state(),
        state(),
    ];
    saved(&mut states[0]);
    judged(&mut states[0], failing());
    type_in(&mut states[0], "hx");
    type_in(&mut states[1], "l/x");
    type_in(&mut states[2], "c");
    type_in(&mut states[3], "?");
    states[4].view = View::Closing;
    states[5].view = View::Solution(Solution::new("a\tb\n日本語".to_owned(), "b".to_owned()));
    saved(&mut states[6]);
    judged(
        &mut states[6],
        Judgement::NotCompiled(
            "\x1b[1merror\x1b[0m: no \x1b[38;5;9m`x`\x1b[0m\n\t--> 日本語".to_owned(),
        ),
    );
    for state in &mut states {
        for (columns, rows) in [
            (1, 1),
            (2, 40),
            (7, 3),
            (20, 5),
            (50, 15),
            (80, 24),
            (300, 90),
        ] {
            drawn(state, columns, rows);
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    let coloured = |state: &mut State| {
        saved(state);
        judged(state, failing());
        let buffer = drawn(state, 80, 24);
        { buffer.content.iter() }.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(coloured(&mut state()));
    let mut plain = state();
    plain.colour = false;
    assert!(!coloured(&mut plain));
}

#[test]
fn a_newer_save_replaces_the_older_run() {
    let mut state = state();
    saved(&mut state);
    let old = state.running.unwrap().run;
    saved(&mut state);
    assert!(state.judged(old, Ok(passing())).is_empty());
    assert!(state.verdict.is_none());
    assert_eq!(judged(&mut state, failing()), []);
    assert!(state.verdict.is_some());
}

#[test]
fn another_file_saved_is_not_judged() {
    let mut state = state();
    assert!(state.saved(&["torn_read.rs".to_owned()]).is_empty());
    assert!(state.running.is_none());
}

#[test]
fn next_is_for_those_who_are_done() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    assert!(press(&mut state, KeyCode::Char('n')).is_empty());
    assert!(state.notice.as_ref().unwrap().contains("not proven yet"));
    assert!(press(&mut state, KeyCode::Char('s')).is_empty());
    assert!(
        state
            .notice
            .as_ref()
            .unwrap()
            .contains("once yours is proven")
    );
    saved(&mut state);
    assert_eq!(judged(&mut state, passing()), [Effect::Finish(0)]);
    assert_eq!(
        press(&mut state, KeyCode::Char('s')),
        [Effect::ReadSolution(0)]
    );
    let effects = press(&mut state, KeyCode::Char('n'));
    assert_eq!(effects[0], Effect::GoTo(1));
    assert!(matches!(effects[1], Effect::Judge { exercise: 1, .. }));
    assert!(state.verdict.is_none());
    press(&mut state, KeyCode::Char('p'));
    assert_eq!(state.current, 0);
    press(&mut state, KeyCode::Char('p'));
    assert!(state.notice.as_ref().unwrap().contains("first"));
}

#[test]
fn hints_come_one_at_a_time_and_stay_where_they_were() {
    let mut state = state();
    for level in [1, 2, 3, 4, 1, 2] {
        press(&mut state, KeyCode::Char('h'));
        assert_eq!((state.hint.level, state.hint.open), (level, true));
    }
    press(&mut state, KeyCode::Esc);
    assert!(!state.hint.open);
    press(&mut state, KeyCode::Char('h'));
    assert_eq!((state.hint.level, state.hint.open), (2, true));
}

#[test]
fn the_list_filters_and_leads_to_an_exercise() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, passing());
    let listed = |state: &State| match &state.view {
        View::List(list) => state.listed(list),
        other => panic!("{other:?}"),
    };
    press(&mut state, KeyCode::Char('l'));
    assert_eq!(listed(&state), [0, 1, 2]);
    press(&mut state, KeyCode::Tab);
    assert_eq!(listed(&state), [1, 2]);
    press(&mut state, KeyCode::Tab);
    assert_eq!(listed(&state), [0]);
    press(&mut state, KeyCode::Tab);
    type_in(&mut state, "/QQ");
    assert!(listed(&state).is_empty());
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    press(&mut state, KeyCode::Esc);
    assert_eq!(listed(&state), [0, 1, 2]);
    type_in(&mut state, "/keys");
    assert_eq!(press(&mut state, KeyCode::Enter)[0], Effect::GoTo(2));
    assert_eq!((state.current, &state.view), (2, &View::Work));
}

#[test]
fn a_reset_asks_first() {
    let mut state = state();
    press(&mut state, KeyCode::Char('x'));
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    press(&mut state, KeyCode::Char('x'));
    assert_eq!(press(&mut state, KeyCode::Char('y')), [Effect::Reset(0)]);
    let kept = "/home/ada/races/lost_update.rs.1.bak";
    state.reset_is(Ok(Some(kept.into())));
    judged(&mut state, failing());
    // The verdict on the restored file does not hide where the old file is.
    let screen = screen(&mut state, 80, 24);
    assert!(screen.contains(kept), "{screen}");
}

#[test]
fn checking_all_goes_through_the_course_and_can_be_stopped() {
    let mut state = state();
    state.place.progress.finish("torn_read");
    press(&mut state, KeyCode::Char('c'));
    assert_eq!(judged(&mut state, passing())[0], Effect::Finish(0));
    // A save of the current exercise waits.
    saved(&mut state);
    let effects = judged(&mut state, failing());
    assert_eq!(effects[0], Effect::Reopen(1));
    assert!(matches!(effects[1], Effect::Judge { exercise: 2, .. }));
    shows(
        &mut state,
        80,
        24,
        expect![[r#"
        Fix what two threads break                      ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 1 of 3 done
        lost_update: Every visitor counts                                exercise 1 of 3
        edit /home/ada/races/lost_update.rs
        ────────────────────────────────────────────────────────────────────────────────
        Checked 2 of 3: 1 proven.

        ✓ lost_update: proven
        ✗ torn_read: assertion, "1 counted"













        ────────────────────────────────────────────────────────────────────────────────
        judging… deadlock, 0.0 s
        Esc stop  q quit
    "#]],
    );
    assert_eq!(press(&mut state, KeyCode::Esc), [Effect::Stop]);
    assert!(screen(&mut state, 80, 24).contains("Stopped: 1 proven of 2 checked, of 3."));
    let effects = press(&mut state, KeyCode::Esc);
    assert!(matches!(effects[..], [Effect::Judge { exercise: 0, .. }]));
    assert_eq!(state.view, View::Work);
}

#[test]
fn a_long_text_is_scrolled_and_never_past_its_end() {
    let mut state = state();
    saved(&mut state);
    judged(&mut state, failing());
    drawn(&mut state, 50, 15);
    let (lines, page) = (state.scroll.lines, state.scroll.page);
    assert!(lines > page);
    press(&mut state, KeyCode::End);
    assert_eq!(state.scroll.top, lines - page);
    press(&mut state, KeyCode::Down);
    assert_eq!(state.scroll.top, lines - page);
    press(&mut state, KeyCode::Up);
    press(&mut state, KeyCode::PageUp);
    press(&mut state, KeyCode::PageUp);
    press(&mut state, KeyCode::PageUp);
    press(&mut state, KeyCode::PageUp);
    assert_eq!(state.scroll.top, 0);
    press(&mut state, KeyCode::End);
    // A larger window shows it all.
    drawn(&mut state, 80, 50);
    assert_eq!(state.scroll.top, 0);
    assert_eq!(Step::PageDown.from(0, 3, 10), 3);
}

#[test]
fn ctrl_c_ends_everywhere() {
    for keys in ["", "l/", "x", "?", "c"] {
        let mut state = state();
        type_in(&mut state, keys);
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(state.key(key), [Effect::Quit], "{keys}");
    }
    assert_eq!(press(&mut state(), KeyCode::Char('q')), [Effect::Quit]);
}
