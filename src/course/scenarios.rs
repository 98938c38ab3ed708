//! Which functions of a file are scenarios, and which only look like scenarios.
//!
//! A scenario is a public function at the top of the file, without arguments, whose name begins with
//! `scenario`. The search works on tokens, so blanks, comments, strings and the order of qualifiers do not
//! matter. A function that looks like a scenario but cannot be called as one is reported, never skipped silently.

use super::tokens::{Token, tokens};

/// The functions of a file whose names begin with `scenario`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenarios {
    /// The names of those that can be checked, in the order of the file.
    pub names: Vec<String>,
    /// Why each of the others cannot, as "`scenario_two` in line 3 takes arguments".
    pub left_out: Vec<String>,
}

/// Finds the scenarios of a file.
pub fn scenarios(text: &str) -> Scenarios {
    let mut found = Scenarios::default();
    let tokens = tokens(text);
    // Where the current item began, and the depth of open brackets.
    let (mut begin, mut depth) = (0, 0_usize);
    for at in 0..tokens.len() {
        match &*tokens[at].text {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    begin = at + 1;
                }
            }
            ";" if depth == 0 => begin = at + 1,
            name if name.starts_with("scenario") => {
                let item = Item {
                    tokens: &tokens,
                    begin: begin.min(at),
                    at,
                    depth,
                };
                match item.is_no_scenario() {
                    None => found
                        .names
                        .extend(item.is_function().then(|| name.to_owned())),
                    Some(why) => {
                        let line = tokens[at].line;
                        found
                            .left_out
                            .push(format!("`{name}` in line {line} {why}"));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// A name that begins with `scenario`, in its item.
struct Item<'a> {
    tokens: &'a [Token],
    begin: usize,
    at: usize,
    depth: usize,
}

impl Item<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &*token.text)
    }

    fn is_function(&self) -> bool {
        self.at > 0 && self.text(self.at - 1) == "fn"
    }

    /// Why it cannot be checked, although it seems to be meant as a scenario.
    fn is_no_scenario(&self) -> Option<&'static str> {
        if !self.is_function() {
            let of_macro = self.depth > 0 && self.begins_with_macro();
            return of_macro.then_some("is made by a macro, which is not expanded");
        }
        let qualifiers = &self.tokens[self.begin..self.at];
        let has = |word: &str| qualifiers.iter().any(|token| token.text == word);
        let is_public = self.is_public();
        if self.depth > 0 {
            return is_public.then_some("is not at the top level of the file");
        }
        match () {
            () if has("cfg") => Some("is conditional: a `cfg` decides whether it is compiled"),
            () if has("async") => Some("is `async`, and there is no executor to run it"),
            () if has("unsafe") => Some("is `unsafe`, so the check cannot call it"),
            () if self.text(self.at + 1) == "<" => Some("is generic"),
            () if self.text(self.at + 1) != "(" || self.text(self.at + 2) != ")" => {
                Some("takes arguments")
            }
            () if !is_public => Some("is not `pub`"),
            () => None,
        }
    }

    /// Whether the words before `fn` make it public.
    fn is_public(&self) -> bool {
        let mut at = self.at - 1;
        while at > self.begin {
            at -= 1;
            match self.text(at) {
                "pub" => return self.text(at + 2) != "self",
                "const" | "async" | "unsafe" | "extern" | "safe" | "(" | ")" | "crate"
                | "super" | "in" | "self" => {}
                // The string after `extern` is not a token.
                _ => return false,
            }
        }
        false
    }

    fn begins_with_macro(&self) -> bool {
        let item = &self.tokens[self.begin..self.at];
        item.get(1).is_some_and(|sign| sign.text == "!") && item[0].text != "macro_rules"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = scenarios(text);
        assert_eq!(found.left_out, [""; 0], "{text}");
        found.names
    }

    fn left_out(text: &str) -> String {
        let found = scenarios(text);
        assert_eq!(found.names, [""; 0], "{text}");
        found.left_out.join("; ")
    }

    #[test]
    fn scenarios_are_found_however_they_are_written() {
        for text in [
            "pub fn scenario() {}",
            "pub fn scenario( ) {}",
            "pub  fn\n scenario ( /* nothing */ )\n{}",
            "    pub fn scenario() {}",
            "\u{feff}pub fn scenario() {}\r\n",
            "pub fn r#scenario() {}",
            "pub const fn scenario() {}",
            "pub extern \"C\" fn scenario() {}",
            "pub(crate) fn scenario() {}",
            "#[inline] pub fn scenario() {}",
            "/// Says `fn scenario_two(n: u8)`.\npub fn scenario() -> String { \"pub fn scenario_two() {}\".into() }",
            "/* pub fn scenario_old() {} /* nested */ */ pub fn scenario() {}",
            "use std::fmt; struct A { b: u8 } pub fn scenario() { let scenario_text = 1; }",
        ] {
            assert_eq!(names(text), ["scenario"], "{text}");
        }
        assert_eq!(
            names("pub fn scenario() { scenario_two() }\npub fn scenario_two() {}"),
            ["scenario", "scenario_two"]
        );
    }

    #[test]
    fn what_cannot_be_called_is_named_with_the_reason() {
        for (text, why) in [
            ("fn scenario() {}", "is not `pub`"),
            ("pub fn scenario(n: u8) {}", "takes arguments"),
            ("pub fn scenario<T>() {}", "is generic"),
            ("pub async fn scenario() {}", "is `async`"),
            ("pub unsafe fn scenario() {}", "is `unsafe`"),
            ("#[cfg(any())] pub fn scenario() {}", "a `cfg` decides"),
            (
                "pub mod a { pub fn scenario() {} }",
                "at the top level of the file",
            ),
            ("make!(scenario);", "made by a macro"),
            ("make! { scenario }", "made by a macro"),
        ] {
            let left_out = left_out(text);
            assert!(left_out.contains(why), "{text}: {left_out}");
            assert!(left_out.starts_with("`scenario` in line 1 "), "{left_out}");
        }
    }
}
