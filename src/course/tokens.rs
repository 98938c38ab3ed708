//! Rust source as a list of words and signs, without comments and string literals: enough to look for
//! paths. The compiler's own lexer tells what a word is.

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang, tokenize};

/// A word or a sign, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word, without `r#`; or the sign. Only `::` has more than one character.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    /// The string literal right after it, if there is one, and it has no escapes and is no byte string.
    pub literal: Option<String>,
}

/// The tokens of a file. Text that is not Rust gives arbitrary tokens, but never a panic.
pub fn tokens(text: &str) -> Vec<Token> {
    let rust = without_head(text);
    let mut begins = text.len() - rust.len();
    let mut place = Place::default();
    place.pass(text[..begins].trim_start_matches('\u{feff}'));
    let mut tokens: Vec<Token> = Vec::new();
    for token in tokenize(rust, FrontmatterAllowed::No) {
        let ends = begins + token.len as usize;
        let written = &text[begins..ends];
        match token.kind {
            kind if is_nothing(kind) => {}
            TokenKind::Literal { kind, suffix_start } if !is_number(kind) => {
                let value = value(kind, &written[..suffix_start as usize]);
                if let Some(before) = tokens.last_mut().filter(|it| it.literal.is_none()) {
                    before.literal = value;
                }
            }
            TokenKind::Colon if follows_a_colon(&tokens, place) => {
                let first = tokens.last_mut().expect("there is a first colon");
                first.text.push(':');
            }
            kind => tokens.push(Token {
                text: match kind {
                    TokenKind::RawIdent => written[2..].to_owned(),
                    _ => written.to_owned(),
                },
                line: place.line,
                column: place.column,
                literal: None,
            }),
        }
        place.pass(written);
        begins = ends;
    }
    tokens
}

/// What rustc reads of a file: the text after a byte order mark and a shebang line.
fn without_head(text: &str) -> &str {
    let rust = text.strip_prefix('\u{feff}').unwrap_or(text);
    strip_shebang(rust).map_or(rust, |length| &rust[length..])
}

fn is_nothing(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. }
            | TokenKind::Whitespace
            | TokenKind::Lifetime { .. }
            | TokenKind::RawLifetime
            | TokenKind::UnknownPrefixLifetime
    )
}

fn is_number(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Int { .. } | LiteralKind::Float { .. })
}

/// What a text says, if that is what is written there.
fn value(kind: LiteralKind, written: &str) -> Option<String> {
    let raw = match kind {
        LiteralKind::Str { terminated: true } => written,
        LiteralKind::RawStr { n_hashes: Some(_) } => written.strip_prefix('r')?.trim_matches('#'),
        _ => return None,
    };
    let bare = raw.strip_prefix('"')?.strip_suffix('"')?;
    let stands = !bare.contains('\\') || matches!(kind, LiteralKind::RawStr { .. });
    stands.then(|| bare.to_owned())
}

/// Whether the last token is a colon that ends right here, and is not yet a `::`.
fn follows_a_colon(tokens: &[Token], here: Place) -> bool {
    tokens.last().is_some_and(|last| {
        last.text == ":" && (last.line, last.column + 1) == (here.line, here.column)
    })
}

/// A position in a file, as the compiler counts.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Place { line: 1, column: 1 }
    }
}

impl Place {
    fn pass(&mut self, text: &str) {
        self.line += text.matches('\n').count();
        let (before, last) = match text.rsplit_once('\n') {
            Some((_, last)) => (1, last),
            None => (self.column, text),
        };
        self.column = before + last.chars().count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_texts_are_no_tokens() {
        let text = "a::b /* c /* d */ e */ \"f\\\"g\" 'h' 'i r#\"j\"k\"# b\"l\" r#m // n\n\
                    c\"o\" cr#\"p\"# br\"q\" b'r' '\\'' 'r#s \"t\\\n u\" v";
        assert_eq!(words(text), ["a", "::", "b", "m", "v"]);
    }

    #[test]
    fn what_no_program_begins_with_is_read_as_the_compiler_reads_it() {
        assert_eq!(
            words("\u{feff}#!/bin/sh -e 'x\r\nfn a() {}\r\n")[..2],
            ["fn", "a"]
        );
        assert_eq!(words("#![allow(b)]")[..4], ["#", "!", "[", "allow"]);
        let second = &tokens("\u{feff}a b")[1];
        assert_eq!((second.line, second.column), (1, 3));
    }

    #[test]
    fn numbers_are_one_token_with_all_that_belongs_to_them() {
        assert_eq!(
            words("1_000u64 0x1f 1.5e3 a.0"),
            ["1_000u64", "0x1f", "1.5e3", "a", ".", "0"]
        );
    }

    #[test]
    fn colons_make_a_path_where_nothing_is_between_them() {
        assert_eq!(
            words("a::b: :c:::d"),
            ["a", "::", "b", ":", ":", "c", "::", ":", "d"]
        );
    }

    #[test]
    fn reserved_prefixes_are_words() {
        assert_eq!(words("f\"a\" g#b k#c"), ["f", "g", "#", "b", "k#c"]);
    }

    #[test]
    fn a_text_is_known_to_what_is_before_it() {
        let literal = |text: &str| tokens(text).pop().and_then(|token| token.literal);
        assert_eq!(literal("= \"a/b.rs\"").as_deref(), Some("a/b.rs"));
        assert_eq!(literal("= r##\"a\\b\"##").as_deref(), Some("a\\b"));
        for text in ["= \"a\\n\"", "= b\"a\"", "= 'a'", "= \"a"] {
            assert_eq!(literal(text), None, "{text}");
        }
    }

    #[test]
    fn what_never_ends_ends() {
        for text in [
            "\"", "'", "/*", "r#\"", "'\\", "b'", "r#", "é", "\u{0}", "#!",
        ] {
            tokens(text);
        }
    }

    #[test]
    fn a_token_knows_its_place() {
        let second = &tokens("/* é */\r\n  é x")[1];
        assert_eq!((second.line, second.column), (2, 5));
    }
}
