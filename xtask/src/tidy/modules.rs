//! The modules of a crate, read from its tokens: what each defines, imports and names.
//!
//! The compiler's own answer would need a nightly toolchain. Tokens are enough: a path says where
//! it leads, also inside a macro's braces. What only tests see is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use super::Source;

/// From the crate's root down; the root itself is empty.
pub(super) type ModulePath = Vec<String>;

/// One crate: a library, a binary, an example or a test binary.
pub(super) struct Crate {
    /// The folder of its root file.
    pub(super) folder: String,
    pub(super) modules: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    /// Aliases, functions and constants with the paths in them. A type stands for itself.
    pub(super) items: BTreeMap<String, Vec<ModulePath>>,
    /// Structs, enums, traits and aliases that can be named from outside, those of macros, too.
    pub(super) types: Vec<TypeName>,
    /// String literals as they stand in the text, documentation apart.
    pub(super) strings: Vec<(String, usize)>,
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

impl TypeName {
    fn new(token: &TokenTree, is_public: bool) -> Self {
        Self {
            name: token.to_string(),
            line: line_of(token),
            is_public,
        }
    }
}

pub(super) struct Import {
    /// What it is called here; `None` is a glob.
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
}

/// All crates among the files.
pub(super) fn crates(sources: &[Source]) -> Vec<Crate> {
    let roots = sources
        .iter()
        .filter(|source| source.is_rust() && is_root(&source.path));
    roots
        .map(|root| {
            let (folder, _) = root.path.rsplit_once('/').unwrap_or_default();
            let mut reader = Reader {
                sources,
                modules: BTreeMap::new(),
                type_macros: BTreeSet::new(),
            };
            reader.file(&root.path, Vec::new(), folder.to_owned());
            Crate {
                folder: folder.to_owned(),
                modules: reader.modules,
            }
        })
        .collect()
}

/// What cargo makes a crate of by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        [.., "src", "lib.rs" | "main.rs"]
            | [.., "src", "bin", _]
            | [.., "src", "bin", _, "main.rs"]
            | ["crates", _, "tests" | "examples" | "benches", _]
            | [.., "tests" | "examples" | "benches", _, "main.rs"]
    )
}

struct Reader<'a> {
    sources: &'a [Source],
    modules: BTreeMap<ModulePath, Module>,
    /// Macros that define a type of the name they are given.
    type_macros: BTreeSet<String>,
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
pub(super) const DEFINES_TYPE: [&str; 5] = ["struct", "enum", "union", "trait", "type"];

/// Keys of serde's attributes whose strings are paths.
const SERDE_PATHS: &str = "with serialize_with deserialize_with skip_serializing_if default from \
                           try_from into remote";

impl Reader<'_> {
    fn file(&mut self, file: &str, module: ModulePath, folder: String) {
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
        self.scan(place, &trees(tokens), true);
        if let Some(module) = self.modules.get_mut(&place.module)
            && module.imports.iter().all(|import| import.name.is_some())
        {
            module.paths.retain(|(path, _)| path.len() > 1);
        }
    }

    /// `items`: directly in the module, rather than inside a body.
    fn scan(&mut self, place: &Place, tokens: &[TokenTree], items: bool) {
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            next += 1;
            match token {
                TokenTree::Group(group) if is_cfg_test(group) => {
                    next = end_of_item(tokens, next, items);
                }
                TokenTree::Group(group) => self.group(place, &tokens[..next - 1], group),
                // A lifetime's name is none of ours.
                TokenTree::Punct(punct) if punct.as_char() == '\'' => next += 1,
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    next = self.word(place, tokens, next, &word, items);
                }
                TokenTree::Literal(literal) => {
                    let string = (literal.to_string(), line_of(token));
                    self.here(place).strings.push(string);
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn group(&mut self, place: &Place, before: &[TokenTree], group: &Group) {
        let inner = trees(group.stream());
        match before {
            // Documentation, which the parser makes an attribute.
            [.., TokenTree::Punct(_)]
                if is_word(inner.first(), "doc") && is_punct(inner.get(1), '=') => {}
            [.., TokenTree::Ident(word)] if word == "serde" => {
                for of in inner.windows(3) {
                    if SERDE_PATHS.split(' ').any(|key| of[0].to_string() == key) {
                        let path = of[2].to_string();
                        let path = path.trim_matches('"').split("::").map(str::to_owned);
                        let found = (path.collect(), line_of(&of[2]));
                        self.here(place).paths.push(found);
                    }
                }
                self.scan(place, &inner, false);
            }
            [.., TokenTree::Ident(name), TokenTree::Punct(_)]
                if self.type_macros.contains(&name.to_string()) =>
            {
                for name in inner.iter().filter(|token| is_type_name(token)) {
                    let module = self.here(place);
                    module.items.insert(name.to_string(), Vec::new());
                    module.types.push(TypeName::new(name, true));
                }
            }
            _ => self.scan(place, &inner, false),
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
                let module = [place.module.as_slice(), &[name.to_string()]].concat();
                let folder = format!("{}/{name}", place.folder);
                match tokens.get(next + 1) {
                    Some(TokenTree::Group(group)) => {
                        let file = self.here(place).file.clone();
                        self.module(&file, &Place { module, folder }, group.stream());
                    }
                    _ => self.file(&format!("{folder}.rs"), module, folder),
                }
                next + 2
            }
            ("macro_rules", _) if items => {
                if let (Some(name), Some(body)) = (tokens.get(next + 1), tokens.get(next + 2)) {
                    let text = body.to_string().replace(' ', "");
                    let mut types = DEFINES_TYPE.iter().map(|it| format!("{it}$"));
                    if types.any(|it| text.contains(&it)) {
                        self.type_macros.insert(name.to_string());
                    }
                    let items = &mut self.here(place).items;
                    items.insert(name.to_string(), Vec::new());
                }
                next
            }
            // `const fn` defines by its second word.
            ("const", Some(follows)) if is_word(Some(follows), "fn") => next,
            (word, Some(TokenTree::Ident(name))) if items && DEFINES.contains(&word) => {
                let module = self.here(place);
                if DEFINES_TYPE.contains(&word) {
                    let name = TypeName::new(&tokens[next], is_public(&tokens[..next - 1]));
                    module.types.push(name);
                }
                let known = module.paths.len();
                let end = end_of_item(tokens, next + 1, true);
                self.scan(place, &tokens[next + 1..end], false);
                let passes_on = word == "type" || !DEFINES_TYPE.contains(&word);
                let module = self.here(place);
                let paths = module.paths[known..].iter().filter(|_| passes_on);
                let paths = paths.map(|(path, _)| path.clone()).collect();
                module.items.insert(name.to_string(), paths);
                end
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

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(found)) if found == word)
}

fn is_type_name(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word.to_string().starts_with(char::is_uppercase))
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
