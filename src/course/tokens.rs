//! Rust source as a list of words and signs, without its comments and texts: as much of a lexer as
//! it takes to look for paths.

/// A word or a sign, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word, without `r#`; or the sign, of which only `::` has more than one character.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
}

/// The tokens of a file. What is no Rust at all gives some tokens or others, and no panic.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: text.chars().collect(),
        at: 0,
        line: 1,
        column: 1,
    };
    let mut tokens = Vec::new();
    while lexer.at < lexer.rest.len() {
        tokens.extend(lexer.token());
    }
    tokens
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    line: usize,
    column: usize,
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            match self.peek(0) {
                '\n' => (self.line, self.column) = (self.line + 1, 1),
                _ => self.column += 1,
            }
            self.at += 1;
        }
    }

    fn ended(&self) -> bool {
        self.at >= self.rest.len()
    }

    /// The next token, or `None` after something that is none.
    fn token(&mut self) -> Option<Token> {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.text(),
            ('\'', _) => self.character_or_lifetime(),
            (c, _) if begins_word(c) => return self.word(),
            (c, _) if c.is_whitespace() => self.skip(1),
            (':', ':') => return Some(self.take(2)),
            _ => return Some(self.take(1)),
        }
        None
    }

    fn take(&mut self, characters: usize) -> Token {
        let token = Token {
            text: self.rest[self.at..self.at + characters].iter().collect(),
            line: self.line,
            column: self.column,
        };
        self.skip(characters);
        token
    }

    fn line_comment(&mut self) {
        while !self.ended() && self.peek(0) != '\n' {
            self.skip(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while !self.ended() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => (depth += 1, self.skip(2)).1,
                ('*', '/') => (depth -= 1, self.skip(2)).1,
                _ => self.skip(1),
            }
            if depth == 0 {
                break;
            }
        }
    }

    fn text(&mut self) {
        self.skip(1);
        while !self.ended() && self.peek(0) != '"' {
            self.skip(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.skip(1);
    }

    fn raw_text(&mut self, hashes: usize) {
        self.skip(hashes + 1);
        let ends = |lexer: &Lexer| {
            lexer.peek(0) == '"' && (1..=hashes).all(|ahead| lexer.peek(ahead) == '#')
        };
        while !self.ended() && !ends(self) {
            self.skip(1);
        }
        self.skip(hashes + 1);
    }

    fn character_or_lifetime(&mut self) {
        if begins_word(self.peek(1)) && self.peek(2) != '\'' {
            self.skip(1);
            while continues_word(self.peek(0)) {
                self.skip(1);
            }
            return;
        }
        self.skip(if self.peek(1) == '\\' { 3 } else { 2 });
        while !self.ended() && !matches!(self.peek(0), '\'' | '\n') {
            self.skip(1);
        }
        self.skip(1);
    }

    fn word(&mut self) -> Option<Token> {
        let mut length = 1;
        while continues_word(self.peek(length)) {
            length += 1;
        }
        let prefix: String = self.rest[self.at..self.at + length].iter().collect();
        let hashes = (length..).take_while(|&n| self.peek(n) == '#').count();
        let after = self.peek(length + hashes);
        let may_be_raw = matches!(&*prefix, "r" | "br" | "cr");
        if may_be_raw && after == '"' {
            self.skip(length);
            self.raw_text(hashes);
            return None;
        }
        if prefix == "r" && hashes == 1 && begins_word(after) {
            self.skip(2);
            return self.word();
        }
        if matches!(&*prefix, "b" | "c") && matches!(self.peek(length), '"' | '\'') {
            self.skip(length);
            return None;
        }
        Some(self.take(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_no_tokens() {
        let text = "a::b /* c /* d */ e */ \"f\\\"g\" 'h' 'i r#\"j\"k\"# b\"l\" r#m // n";
        let words: Vec<String> = { tokens(text).into_iter() }
            .map(|token| token.text)
            .collect();
        assert_eq!(words, ["a", "::", "b", "m"]);
    }

    #[test]
    fn what_never_ends_ends() {
        for text in ["\"", "'", "/*", "r#\"", "'\\", "b'", "r#", "é", "\u{0}"] {
            tokens(text);
        }
    }

    #[test]
    fn a_token_knows_its_place() {
        let second = &tokens("/* é */\n  é x")[1];
        assert_eq!((second.line, second.column), (2, 5));
    }
}
