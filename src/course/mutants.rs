//! Mutants of a solution: what a learner could have left out, negated or weakened.
//!
//! Each differs from the solution in one thing: a function without its body, a missing statement, swapped
//! branches, a negated condition, a loop that runs once, or a weaker ordering. A judge that lets a mutant
//! pass does not test what that thing is there for.
//!
//! They are made from tokens, without any knowledge of types. So some do not compile; the compiler
//! refuses those.

use super::tokens::{Token, tokens};
use std::ops::Range;

/// A changed solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The function, the kind of change, and what was changed.
    pub name: String,
    /// The whole file.
    pub text: String,
}

/// All mutants of a file.
pub fn mutants(text: &str) -> Vec<Mutant> {
    let source = Source::new(text);
    let mut found = Vec::new();
    for function in source.functions() {
        source.empty(&function, &mut found);
        for at in function.body.clone() {
            match source.text(at) {
                "{" => source.drop_statements(&function, at, &mut found),
                "if" => source.turn_round(&function, at, &mut found),
                "while" | "loop" => source.go_round_once(&function, at, &mut found),
                _ => source.weaken(&function, at, &mut found),
            }
        }
    }
    found.dedup_by(|one, other| one.text == other.text);
    found
}

struct Source<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// Where each token begins, in bytes.
    begins: Vec<usize>,
    /// For each opening bracket, the token that closes it.
    closes: Vec<Option<usize>>,
}

struct Function {
    name: String,
    /// From its opening brace to its closing one.
    body: Range<usize>,
    /// What it returns, if anything.
    returns: Option<Range<usize>>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Source<'a> {
        let tokens = tokens(text);
        let lines: Vec<usize> = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let begins = { tokens.iter() }.map(|token| {
            let line = lines[token.line - 1];
            let mut characters = text[line..].char_indices();
            line + characters.nth(token.column - 1).map_or(0, |(at, _)| at)
        });
        Source {
            begins: begins.collect(),
            closes: closes(&tokens),
            text,
            tokens,
        }
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &*token.text)
    }

    /// The bytes of some tokens, including comments between them.
    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let last = tokens.end - 1;
        self.begins[tokens.start]..self.begins[last] + self.text(last).len()
    }

    fn source(&self, tokens: &Range<usize>) -> &'a str {
        &self.text[self.bytes(tokens)]
    }

    fn functions(&self) -> Vec<Function> {
        let is_function = |&at: &usize| self.text(at) == "fn" && self.closes[at + 1].is_none();
        let functions = (0..self.tokens.len().saturating_sub(1)).filter(is_function);
        functions.filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let name = self.text(at + 1).to_owned();
        let arguments = (at..self.tokens.len()).find(|&at| self.text(at) == "(")?;
        let after = self.closes[arguments]? + 1;
        let open = (after..self.tokens.len()).find(|&at| matches!(self.text(at), "{" | ";"))?;
        if self.text(open) == ";" {
            return None;
        }
        let is_arrow = self.text(after) == "-" && self.text(after + 1) == ">";
        let end = (after..open).find(|&at| self.text(at) == "where");
        Some(Function {
            name,
            body: open..self.closes[open]? + 1,
            returns: is_arrow.then(|| after + 2..end.unwrap_or(open)),
        })
    }

    fn mutant(&self, function: &Function, what: &str, at: &Range<usize>, by: &str) -> Mutant {
        let bytes = self.bytes(at);
        let words: Vec<&str> = self.text[bytes.clone()].split_whitespace().collect();
        let whole = words.join(" ");
        let short = match whole.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        };
        Mutant {
            name: format!("{}: {what} `{short}`", function.name),
            text: [&self.text[..bytes.start], by, &self.text[bytes.end..]].concat(),
        }
    }

    fn empty(&self, function: &Function, found: &mut Vec<Mutant>) {
        let bodies: &[&str] = match &function.returns {
            None => &["{}"],
            Some(returned) => match self.source(returned) {
                "bool" => &["{ false }", "{ true }"],
                "u32" | "u64" | "usize" => &["{ 0 }", "{ 1 }"],
                returned if returned.starts_with("Option") => &["{ None }"],
                _ => &["{ Default::default() }"],
            },
        };
        found.extend({ bodies.iter() }.map(|body| {
            let mutant = self.mutant(function, "", &function.body, body);
            Mutant {
                name: format!("{}: its body is `{body}`", function.name),
                ..mutant
            }
        }));
    }

    fn drop_statements(&self, function: &Function, open: usize, found: &mut Vec<Mutant>) {
        let Some(close) = self.closes[open] else {
            return;
        };
        let (mut first, mut at) = (open + 1, open + 1);
        while at < close {
            let is_block = self.text(at) == "{";
            at = self.closes[at].unwrap_or(at);
            let ends = match is_block {
                true => self.ends_statement(first, at),
                false => self.text(at) == ";",
            };
            at += 1;
            if ends {
                found.push(self.mutant(function, "without", &(first..at), ""));
                first = at;
            }
        }
    }

    /// Whether a block that closes there ends the statement that begins at `first`.
    fn ends_statement(&self, first: usize, close: usize) -> bool {
        let is_block = matches!(
            self.text(first),
            "if" | "while" | "loop" | "for" | "match" | "unsafe" | "{"
        );
        is_block && !matches!(self.text(close + 1), "else" | "." | "?" | "}")
    }

    /// The condition that begins after a word, and the block after it.
    fn condition(&self, word: usize) -> Option<(Range<usize>, Range<usize>)> {
        let mut at = word + 1;
        while self.text(at) != "{" {
            at = self.closes.get(at).copied()?.unwrap_or(at) + 1;
        }
        Some((word + 1..at, at..self.closes[at]? + 1))
    }

    fn turn_round(&self, function: &Function, word: usize, found: &mut Vec<Mutant>) {
        let Some((condition, block)) = self.condition(word) else {
            return;
        };
        if self.text(condition.start) != "let" {
            let turned = format!("!({})", self.source(&condition));
            found.push(self.mutant(function, "negated:", &condition, &turned));
        }
        let other = block.end + 1;
        if self.text(block.end) == "else" && self.text(other) == "{" {
            let Some(close) = self.closes[other] else {
                return;
            };
            let other = other..close + 1;
            let swapped = format!("{} else {}", self.source(&other), self.source(&block));
            found.push(self.mutant(function, "swapped:", &(block.start..close + 1), &swapped));
        }
    }

    fn go_round_once(&self, function: &Function, word: usize, found: &mut Vec<Mutant>) {
        let once = match self.text(word) {
            "while" => "if",
            _ => "for _ in 0..1",
        };
        found.push(Mutant {
            name: match self.condition(word) {
                Some((condition, _)) if !condition.is_empty() => {
                    let condition = condition.start - 1..condition.end;
                    self.mutant(function, "once:", &condition, "").name
                }
                _ => format!("{}: once: `loop`", function.name),
            },
            ..self.mutant(function, "", &(word..word + 1), once)
        });
    }

    fn weaken(&self, function: &Function, at: usize, found: &mut Vec<Mutant>) {
        let weaker: &[&str] = match self.text(at) {
            "SeqCst" => &["AcqRel", "Release", "Acquire", "Relaxed"],
            "AcqRel" => &["Release", "Acquire", "Relaxed"],
            "Acquire" | "Release" => &["Relaxed"],
            _ => return,
        };
        let line = self.tokens[at].line;
        let place = self.text.lines().nth(line - 1).unwrap_or_default().trim();
        found.extend({ weaker.iter() }.map(|weaker| {
            let path = format!("heisenbug::sync::atomic::Ordering::{weaker}");
            let (is, name) = (self.text(at), &function.name);
            Mutant {
                name: format!("{name}: {weaker} for {is} in `{place}`"),
                ..self.mutant(function, "", &(at..at + 1), &path)
            }
        }));
    }
}

/// For each opening bracket, the token that closes it.
fn closes(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closes = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match &*token.text {
            "(" | "[" | "{" => open.push(at),
            ")" | "]" | "}" => {
                if let Some(opened) = open.pop() {
                    closes[opened] = Some(at);
                }
            }
            _ => {}
        }
    }
    closes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        mutants(text)
            .into_iter()
            .map(|mutant| mutant.name)
            .collect()
    }

    #[test]
    fn every_kind_of_mutant_is_made() {
        let text = "impl A {\n\
                    /// Says whether.\n\
                    fn f(&self) -> bool {\n\
                    while self.a.load(Acquire) { self.wait(); }\n\
                    if b { c(); d() } else { e() }\n\
                    } }";
        assert_eq!(
            names(text),
            [
                "f: its body is `{ false }`",
                "f: its body is `{ true }`",
                "f: without `while self.a.load(Acquire) { self.wait(); }`",
                "f: once: `while self.a.load(Acquire)`",
                "f: Relaxed for Acquire in `while self.a.load(Acquire) { self.wait(); }`",
                "f: without `self.wait();`",
                "f: negated: `b`",
                "f: swapped: `{ c(); d() } else { e() }`",
                "f: without `c();`",
            ]
        );
    }

    #[test]
    fn a_mutant_differs_in_one_thing() {
        let text = "fn f() { /* é */ a(); b(SeqCst); }";
        let all = mutants(text);
        let of = |name: &str| all.iter().find(|mutant| mutant.name == name).unwrap();
        assert_eq!(of("f: its body is `{}`").text, "fn f() {}");
        assert_eq!(
            of("f: without `a();`").text,
            "fn f() { /* é */  b(SeqCst); }"
        );
        assert_eq!(
            of("f: Acquire for SeqCst in `fn f() { /* é */ a(); b(SeqCst); }`").text,
            "fn f() { /* é */ a(); b(heisenbug::sync::atomic::Ordering::Acquire); }"
        );
    }

    #[test]
    fn what_is_no_function_has_no_mutants() {
        for text in [
            "",
            "fn",
            "fn f",
            "fn f(",
            "trait T { fn f(&self); }",
            "}{",
            "fn f() {",
            "if {",
        ] {
            assert_eq!(mutants(text), [], "{text}");
        }
    }
}
