//! The modules of a crate, read from its tokens: what each defines, imports and names.
//!
//! The compiler's own answer would need a nightly toolchain. Tokens are enough: a path says where
//! it leads, also inside a macro's braces. What only tests see (`#[cfg(test)]`) is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use super::Source;

/// From the crate's root down; the root itself is empty.
pub(super) type ModulePath = Vec<String>;

/// One crate: a library, a binary, or the test binary behind a `tests/NAME/main.rs`.
pub(super) struct Crate {
    /// The folder of its root file.
    pub(super) folder: String,
    pub(super) modules: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    pub(super) items: BTreeSet<String>,
    /// Structs, enums, traits and aliases among the items.
    pub(super) types: Vec<TypeName>,
    /// Those of its enums.
    pub(super) variants: Vec<TypeName>,
    pub(super) imports: Vec<Import>,
    /// Paths as they stand in the text, with their lines. A single word counts only where a glob
    /// import may be what brought it.
    pub(super) paths: Vec<(Vec<String>, usize)>,
}

pub(super) struct TypeName {
    pub(super) name: String,
    pub(super) line: usize,
    /// Whether it says `pub`, however far.
    pub(super) is_public: bool,
}

pub(super) struct Import {
    /// What it is called here; `None` is a glob.
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
}

/// All crates among the files.
pub(super) fn crates(sources: &[Source]) -> Vec<Crate> {
    let is_root = |path: &str| {
        let in_tests = path.ends_with("/main.rs") && path.contains("/tests/");
        path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs") || in_tests
    };
    let roots = sources.iter().filter(|source| is_root(&source.path));
    roots
        .map(|root| {
            let (folder, _) = root.path.rsplit_once('/').unwrap_or_default();
            let mut reader = Reader {
                sources,
                modules: BTreeMap::new(),
            };
            reader.file(&root.path, folder.to_owned(), Vec::new());
            Crate {
                folder: folder.to_owned(),
                modules: reader.modules,
            }
        })
        .collect()
}

struct Reader<'a> {
    sources: &'a [Source],
    modules: BTreeMap<ModulePath, Module>,
}

/// Where a token stands.
struct Place {
    module: ModulePath,
    /// Where the files of its child modules are.
    folder: String,
}

const DEFINES: [&str; 8] = [
    "struct", "enum", "union", "trait", "type", "fn", "const", "static",
];
const DEFINES_TYPE: [&str; 5] = ["struct", "enum", "union", "trait", "type"];

impl Reader<'_> {
    fn file(&mut self, file: &str, folder: String, module: ModulePath) {
        let Some(source) = self.sources.iter().find(|source| source.path == file) else {
            return;
        };
        // What does not even fall into tokens is the compiler's to refuse.
        let tokens: TokenStream = source.text.parse().unwrap_or_default();
        self.module(file, &Place { module, folder }, tokens);
    }

    fn module(&mut self, file: &str, place: &Place, tokens: TokenStream) {
        let module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        self.modules.insert(place.module.clone(), module);
        self.scan(place, tokens, true);
        if let Some(module) = self.modules.get_mut(&place.module)
            && module.imports.iter().all(|import| import.name.is_some())
        {
            module.paths.retain(|(path, _)| path.len() > 1);
        }
    }

    /// `items`: directly in the module, rather than inside a body.
    fn scan(&mut self, place: &Place, tokens: TokenStream, items: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            next += 1;
            match token {
                TokenTree::Group(group) if is_cfg_test(group) => {
                    next = end_of_item(&tokens, next, items);
                }
                TokenTree::Group(group) => self.scan(place, group.stream(), false),
                // A lifetime's name is none of ours.
                TokenTree::Punct(punct) if punct.as_char() == '\'' => next += 1,
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    next = self.word(place, &tokens, next, &word, items);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Takes the word before `next` with what belongs to it, and says where to go on.
    fn word(
        &mut self,
        place: &Place,
        tokens: &[TokenTree],
        next: usize,
        word: &str,
        items: bool,
    ) -> usize {
        let line = line_of(&tokens[next - 1]);
        match (word, tokens.get(next)) {
            ("pub", Some(TokenTree::Group(group))) if is(group, Delimiter::Parenthesis) => next + 1,
            ("use", Some(follows)) if !is_punct(Some(follows), '<') => {
                let end = (next..tokens.len())
                    .find(|at| is_punct(tokens.get(*at), ';'))
                    .unwrap_or(tokens.len());
                let mut found = Vec::new();
                use_tree(&tokens[next..end], &[], &mut found);
                let module = self.here(place);
                for (import, line) in found {
                    module.paths.push((import.path.clone(), line));
                    module.imports.push(import);
                }
                end
            }
            ("mod", Some(TokenTree::Ident(name))) => {
                let name = name.to_string();
                let mut module = place.module.clone();
                module.push(name.clone());
                let folder = format!("{}/{name}", place.folder);
                match tokens.get(next + 1) {
                    Some(TokenTree::Group(group)) => {
                        let file = self.here(place).file.clone();
                        self.module(&file, &Place { module, folder }, group.stream());
                    }
                    _ => self.file(&format!("{folder}.rs"), folder, module),
                }
                next + 2
            }
            ("macro_rules", _) if items => {
                if let Some(TokenTree::Ident(name)) = tokens.get(next + 1) {
                    self.here(place).items.insert(name.to_string());
                }
                next
            }
            (word, Some(TokenTree::Ident(name))) if items && DEFINES.contains(&word) => {
                let name = name.to_string();
                let module = self.here(place);
                if DEFINES_TYPE.contains(&word) {
                    module.types.push(TypeName {
                        name: name.clone(),
                        line,
                        is_public: is_public(&tokens[..next - 1]),
                    });
                }
                if word == "enum" {
                    module.variants.extend(variants(&tokens[next..]));
                }
                module.items.insert(name);
                // `const fn` defines by its second word.
                if word == "const" { next } else { next + 1 }
            }
            _ => {
                let (path, end) = path_at(tokens, next - 1);
                let before = &tokens[..next - 1];
                // The end of `<A as B>::c`, a field or a method.
                if !ends_in_colons(before) && !is_punct(before.last(), '.') {
                    self.here(place).paths.push((path, line));
                }
                end
            }
        }
    }

    fn here(&mut self, place: &Place) -> &mut Module {
        self.modules.entry(place.module.clone()).or_default()
    }
}

/// Whether what stands before a word of [`DEFINES`] ends in `pub` or `pub(…)`.
fn is_public(before: &[TokenTree]) -> bool {
    let before = match before {
        [before @ .., TokenTree::Group(group)] if is(group, Delimiter::Parenthesis) => before,
        _ => before,
    };
    matches!(before, [.., TokenTree::Ident(word)] if word == "pub")
}

/// Of the enum whose name stands first.
fn variants(tokens: &[TokenTree]) -> Vec<TypeName> {
    let body = tokens.iter().find_map(|token| match token {
        TokenTree::Group(group) if is(group, Delimiter::Brace) => Some(group.stream()),
        _ => None,
    });
    let body: Vec<TokenTree> = body.into_iter().flatten().collect();
    let parts = body.split(|token| is_punct(Some(token), ','));
    let words = parts.filter_map(|part| {
        part.iter()
            .find(|token| matches!(token, TokenTree::Ident(_)))
    });
    words
        .map(|word| TypeName {
            name: word.to_string(),
            line: line_of(word),
            is_public: true,
        })
        .collect()
}

/// `[cfg(test)]`, also together with more.
fn is_cfg_test(group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    is(group, Delimiter::Bracket) && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// Behind the item that begins at `from`, or behind the field, where it is one.
fn end_of_item(tokens: &[TokenTree], from: usize, items: bool) -> usize {
    let mut import = false;
    for (index, token) in tokens.iter().enumerate().skip(from) {
        match token {
            TokenTree::Ident(word) if word == "use" => import = true,
            TokenTree::Group(group) if is(group, Delimiter::Brace) && !import => return index + 1,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return index + 1,
            TokenTree::Punct(punct) if punct.as_char() == ',' && !items => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// `a::{b, c as d, e::*}` as one import each, with its line.
fn use_tree(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<(Import, usize)>) {
    let mut path = prefix.to_vec();
    let mut name = None;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                name = tokens.get(index + 1).map(ToString::to_string);
                break;
            }
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Group(group) => {
                let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                let parts = tokens.split(|token| is_punct(Some(token), ','));
                return parts.for_each(|part| use_tree(part, &path, found));
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                let import = Import { name: None, path };
                return found.push((import, line_of(token)));
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    if path.len() > 1 {
        // `a::{self}` is `a`.
        path.pop_if(|last| last == "self");
    }
    if let (Some(last), Some(token)) = (path.last(), tokens.last()) {
        let name = name.or_else(|| Some(last.clone()));
        found.push((Import { name, path }, line_of(token)));
    }
}

/// The words joined by `::` from `at` on, and where they end.
fn path_at(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[at].to_string()];
    let mut end = at + 1;
    while let Some(TokenTree::Ident(word)) = tokens.get(end + 2)
        && ends_in_colons(&tokens[..end + 2])
    {
        path.push(word.to_string());
        end += 3;
    }
    (path, end)
}

fn ends_in_colons(tokens: &[TokenTree]) -> bool {
    let [.., TokenTree::Punct(first), TokenTree::Punct(second)] = tokens else {
        return false;
    };
    first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
}

fn is(group: &Group, delimiter: Delimiter) -> bool {
    group.delimiter() == delimiter
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}
