//! The other files that a file includes: `mod other;`, with `#[path]` or without, and `include!`.
//!
//! Where the compiler looks for them depends on how the file that names them was found, and on the modules
//! around the name. What it finds is read, as far as it can be; what cannot is named.

use super::tokens::{Token, tokens};
use super::unseen::Unseen;
use heisenbug_files as files;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The maximum number of files that are read. No real check needs so many.
const AT_MOST: usize = 500;

/// A file that another one includes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is, as the compiler names it.
    pub path: PathBuf,
    /// The path as the user would write it.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Whether it is included at the top level of the file: an `include!` outside of all brackets.
    pub at_top: bool,
}

/// All files that a file includes, directly or through others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The files that were read.
    pub read: Vec<Part>,
    /// The includes that could not be read.
    pub unread: Vec<Unseen>,
}

/// Reads the files that a file includes, directly or through others, each once.
pub fn parts(path: &Path, name: &str, text: &str) -> Parts {
    let mut reader = Reader {
        root: parent(path),
        named: parent(Path::new(name)),
        known: BTreeSet::new(),
        parts: Parts::default(),
    };
    let root = Folder::of(path);
    reader.known.insert((path.to_owned(), None));
    let mut open = reader.look(None, text, &root, true);
    while let Some(next) = open.pop() {
        let Next { part, folder } = next;
        open.extend(reader.look(Some(&part), &part.text, &folder, part.at_top));
        reader.parts.read.push(part);
    }
    reader.parts
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Where the modules that a file or a module names are looked for.
#[derive(Clone)]
struct Folder {
    path: PathBuf,
    /// The name of the file, if its modules are in a folder of that name.
    below: Option<String>,
}

impl Folder {
    /// That of a file that was named by its path, or is called `mod.rs`.
    fn of(file: &Path) -> Folder {
        Folder {
            path: parent(file),
            below: None,
        }
    }

    fn with_below(&self) -> PathBuf {
        self.below
            .as_ref()
            .map_or_else(|| self.path.clone(), |name| self.path.join(name))
    }

    /// That of a module with its contents between braces.
    fn inside(&self, module: &str, attribute: &Attribute) -> Folder {
        let path = match attribute {
            Attribute::Path(path) => self.path.join(path),
            _ => self.with_below().join(module),
        };
        Folder { path, below: None }
    }

    /// The file of a module, and where its own modules are.
    fn file(&self, module: &str) -> (PathBuf, Folder) {
        let folder = self.with_below();
        let alone = folder.join(format!("{module}.rs"));
        let in_folder = folder.join(module).join("mod.rs");
        if !alone.exists() && in_folder.exists() {
            let of = Folder::of(&in_folder);
            return (in_folder, of);
        }
        let below = Some(module.to_owned());
        let of = Folder {
            path: folder,
            below,
        };
        (alone, of)
    }
}

/// An attribute before a module that says where it is.
enum Attribute {
    None,
    Path(String),
    /// A path that cannot be read from the source.
    Unclear,
}

/// A file that is still to be searched.
struct Next {
    part: Part,
    folder: Folder,
}

struct Reader {
    /// The folder of the first file, as the compiler names it, and as the user does.
    root: PathBuf,
    named: PathBuf,
    /// What was read, and with which folder for its modules.
    known: BTreeSet<(PathBuf, Option<String>)>,
    parts: Parts,
}

impl Reader {
    /// Looks for the files that a file includes.
    fn look(&mut self, of: Option<&Part>, text: &str, folder: &Folder, top: bool) -> Vec<Next> {
        let tokens = tokens(text);
        let text = |at: usize| tokens.get(at).map_or("", |token: &Token| &*token.text);
        let mut next = Vec::new();
        // For every open bracket, the folder that applies after it is closed.
        let mut brackets: Vec<Folder> = Vec::new();
        let mut folder = folder.clone();
        let file_folder = of.map_or_else(|| self.root.clone(), |part| parent(&part.path));
        let mut attribute = Attribute::None;
        for at in 0..tokens.len() {
            let found = match text(at) {
                "mod" if is_name(text(at + 1)) && text(at + 2) == "{" => {
                    let inner = folder.inside(text(at + 1), &attribute);
                    // Restored when the brace that follows is closed.
                    brackets.push(std::mem::replace(&mut folder, inner));
                    attribute = Attribute::None;
                    continue;
                }
                "mod" if is_name(text(at + 1)) && text(at + 2) == ";" => {
                    match std::mem::replace(&mut attribute, Attribute::None) {
                        Attribute::None => Ok(folder.file(text(at + 1))),
                        Attribute::Path(path) => Ok(named(folder.path.join(path))),
                        Attribute::Unclear => Err("its path depends on the configuration"),
                    }
                }
                "mod" if text(at + 1) == "$" => Err("a macro makes its name"),
                "include" if text(at + 1) == "!" => match tokens.get(at + 2) {
                    Some(Token {
                        literal: Some(path),
                        ..
                    }) => Ok(named(file_folder.join(path))),
                    _ => Err("a macro makes its name"),
                },
                "path" if text(at + 1) == "=" && matches!(text(at - 1), "[" | "," | "(") => {
                    attribute = match (&tokens[at + 1].literal, text(at - 1)) {
                        (Some(path), "[") => Attribute::Path(path.clone()),
                        _ => Attribute::Unclear,
                    };
                    continue;
                }
                "{" if at >= 2 && text(at - 2) == "mod" => continue,
                "(" | "[" | "{" => {
                    brackets.push(folder.clone());
                    continue;
                }
                ")" | "]" | "}" => {
                    folder = brackets.pop().unwrap_or(folder);
                    if text(at) == "}" {
                        attribute = Attribute::None;
                    }
                    continue;
                }
                ";" => {
                    attribute = Attribute::None;
                    continue;
                }
                _ => continue,
            };
            let at_top = top && brackets.is_empty() && text(at) == "include";
            let line = tokens[at].line;
            match found
                .map_err(str::to_owned)
                .and_then(|it| self.read(it, at_top))
            {
                Ok(file) => next.extend(file),
                Err(why) => self.parts.unread.push(Unseen {
                    file: of.map(|part| part.name.clone()),
                    line,
                    why: format!("includes another file, which is not searched: {why}"),
                    misleads: false,
                }),
            }
        }
        next
    }

    /// Reads a file, unless it was read already.
    fn read(
        &mut self,
        (path, folder): (PathBuf, Folder),
        at_top: bool,
    ) -> Result<Option<Next>, String> {
        let name = self.name(&path);
        let in_words = |error: anyhow::Error| {
            let said = format!("{error:#}");
            said.replace(&*path.to_string_lossy(), &name)
        };
        // Canonical, so that a link that leads back is recognised and does not go on forever.
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        let below = folder.below.clone();
        if self.known.contains(&(whole.clone(), below.clone())) {
            return Ok(None);
        }
        if self.known.len() > AT_MOST {
            return Err(format!("there are more than {AT_MOST} files"));
        }
        let text = files::text(&path).map_err(in_words)?;
        self.known.insert((whole, below));
        let part = Part {
            path,
            name,
            text,
            at_top,
        };
        Ok(Some(Next { part, folder }))
    }

    /// The path as the user would write it, given how the user named the first file.
    fn name(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.root);
        let name = below.map_or_else(|_| path.to_owned(), |rest| self.named.join(rest));
        name.to_string_lossy().into_owned()
    }
}

/// A file that is named by its path, and the folder of its modules.
fn named(path: PathBuf) -> (PathBuf, Folder) {
    let folder = Folder::of(&path);
    (path, folder)
}

fn is_name(word: &str) -> bool {
    { word.chars().next() }.is_some_and(|c| c == '_' || c.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of those files are read if the first one is checked, and which includes are not.
    fn taken_in(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it is there");
        for (name, text) in files {
            let path = root.join(name);
            std::fs::create_dir_all(parent(&path)).expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        }
        let (name, text) = files[0];
        let parts = parts(&root.join(name), name, text);
        let mut read: Vec<String> = { parts.read.into_iter() }.map(|part| part.name).collect();
        read.sort();
        let unread = parts.unread.into_iter().map(|it| {
            let of = it.file.map(|file| format!("{file} ")).unwrap_or_default();
            format!("{of}{} {}", it.line, it.why)
        });
        (read, unread.collect())
    }

    #[test]
    fn files_are_where_the_compiler_looks_for_them() {
        let (read, unread) = taken_in(&[
            (
                "a.rs",
                "mod b; pub mod c { mod d; #[path = \"e.rs\"] mod f; }\n\
                 #[path = \"g\"] mod h { pub(crate) mod i; }\n\
                 #[allow(unused)] #[path = \"j/k.rs\"] pub mod l;\n\
                 fn m() { include!(\"n.txt\") } mod o { include! { r\"n.txt\" } }",
            ),
            ("b.rs", "mod p; mod q { mod r; } #[path = \"s.rs\"] mod t;"),
            ("b/p.rs", ""),
            ("b/q/r.rs", ""),
            ("s.rs", ""),
            ("c/d.rs", ""),
            ("c/e.rs", ""),
            ("g/i.rs", ""),
            ("j/k.rs", "mod u;"),
            ("j/u/mod.rs", "mod v;"),
            ("j/u/v.rs", ""),
            ("n.txt", "{ mod w; }"),
            ("w.rs", ""),
        ]);
        assert_eq!(unread, [""; 0]);
        assert_eq!(
            read,
            [
                "b.rs",
                "b/p.rs",
                "b/q/r.rs",
                "c/d.rs",
                "c/e.rs",
                "g/i.rs",
                "j/k.rs",
                "j/u/mod.rs",
                "j/u/v.rs",
                "n.txt",
                "s.rs",
                "w.rs"
            ]
        );
    }

    #[test]
    fn what_is_not_read_is_named() {
        let (read, unread) = taken_in(&[
            (
                "a.rs",
                "mod b;\nmod c;\n#[cfg_attr(unix, path = \"b.rs\")] mod d;\n\
                 include!(concat!(\"b\", \".rs\"));\nmacro_rules! m { ($n:ident) => { mod $n; } }",
            ),
            ("b.rs", "\n\ninclude!(\"nothing.rs\");"),
        ]);
        assert_eq!(read, ["b.rs"]);
        let beginnings = [
            "2 includes another file, which is not searched: cannot read c.rs",
            "3 includes another file, which is not searched: its path depends",
            "4 includes another file, which is not searched: a macro makes its name",
            "5 includes another file, which is not searched: a macro makes its name",
            "b.rs 3 includes another file, which is not searched: cannot read nothing.rs",
        ];
        for (unread, beginning) in unread.iter().zip(beginnings) {
            assert!(unread.starts_with(beginning), "{unread}");
        }
        assert_eq!(unread.len(), beginnings.len());
    }

    #[test]
    fn no_circle_is_gone_round() {
        let (read, unread) = taken_in(&[
            ("a.rs", "include!(\"b.rs\"); #[path = \"a.rs\"] mod c;"),
            ("b.rs", "include!(\"b.rs\"); include!(\"a.rs\");"),
        ]);
        assert_eq!((read, unread), (vec!["b.rs".to_owned()], Vec::new()));
    }

    #[test]
    fn what_only_looks_like_it_is_no_other_file() {
        let nothing = "mod a { } fn b(path: u8) { let path = 1; } // mod c;\n\
                       const D: &str = \"mod e;\"; const F: &str = include_str!(\"g\");";
        assert_eq!(taken_in(&[("a.rs", nothing)]), (Vec::new(), Vec::new()));
    }
}
