//! Components of a message or a modal, within Discord's limits.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::rest::form::Form;

/// Rows of a message, and components of one that is made of them alone.
const MOST_ROWS: usize = 5;
const MOST_OF_V2: usize = 40;
/// Characters of all texts of a message that is made of components.
const LONGEST_TEXT: usize = 4000;
/// Options of a select menu.
const MOST_OPTIONS: usize = 25;

const ROW: u64 = 1;
const BUTTON: u64 = 2;
const STRING_SELECT: u64 = 3;
const TEXT_INPUT: u64 = 4;
const TEXT_DISPLAY: u64 = 10;
const LABEL: u64 = 18;
/// Where one component is below another.
const BELOW: [&str; 3] = ["components", "component", "accessory"];

/// Where components are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rest) enum Shown {
    /// In rows below a message.
    Rows,
    /// As the message.
    V2,
    /// In a modal.
    Modal,
}

impl Shown {
    /// Whether a component of this type can stand there, on top or below another.
    fn takes(self, kind: u64) -> bool {
        let anywhere = matches!(kind, ROW | STRING_SELECT | 5..=8);
        match self {
            Self::Rows => anywhere || kind == BUTTON,
            // Sections, texts, pictures, files, separators, containers.
            Self::V2 => anywhere || kind == BUTTON || matches!(kind, 9..=14 | 17),
            // Labels and texts, and what is filled in.
            Self::Modal => {
                anywhere || matches!(kind, TEXT_INPUT | TEXT_DISPLAY | LABEL | 19 | 21..=23)
            }
        }
    }
}

/// `components` of a body, each numbered as Discord numbers those without an id.
pub(in crate::rest) fn read(form: &mut Form, shown: Shown) -> Option<Vec<Value>> {
    let mut components = match form.take("components")? {
        Value::Null => return None,
        Value::Array(components) => components,
        _ => {
            let message = "Only iterables may be used in a ListType";
            form.wrong(&["components"], "LIST_TYPE_CONVERT", message);
            return None;
        }
    };
    let most = match shown {
        Shown::Rows | Shown::Modal => MOST_ROWS,
        Shown::V2 => MOST_OF_V2,
    };
    if components.len() > most {
        let message = format!("Must be {most} or fewer in length.");
        form.wrong(&["components"], "BASE_TYPE_MAX_LENGTH", message);
    }
    let mut check = Check {
        form,
        shown,
        last_id: 0,
        custom_ids: HashSet::new(),
        checked: 0,
        text: 0,
    };
    for (place, component) in components.iter_mut().enumerate() {
        let path = vec!["components".to_owned(), place.to_string()];
        let top = match shown {
            Shown::Rows => component["type"] == ROW,
            Shown::Modal => [ROW, TEXT_DISPLAY, LABEL]
                .iter()
                .any(|kind| component["type"] == *kind),
            Shown::V2 => component["type"] != BUTTON,
        };
        if component["type"].is_u64() && !top {
            let message = "A component of this type cannot stand here.";
            check.wrong(&path, "type", "BASE_TYPE_CHOICES", message);
        }
        check.component(component, &path);
    }
    let (all, text) = (check.checked, check.text);
    if shown == Shown::V2 {
        if all > most && components.len() <= most {
            let message = format!("Must be {most} or fewer in length.");
            form.wrong(&["components"], "BASE_TYPE_MAX_LENGTH", message);
        }
        if text > LONGEST_TEXT {
            let code = "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED";
            let message =
                format!("Components displayable text size exceeds maximum size of {LONGEST_TEXT}");
            form.wrong(&["components"], code, message);
        }
    }
    Some(components)
}

struct Check<'a> {
    form: &'a mut Form,
    shown: Shown,
    last_id: u64,
    custom_ids: HashSet<String>,
    checked: usize,
    /// Characters that are shown as text.
    text: usize,
}

impl Check<'_> {
    fn wrong(&mut self, path: &[String], field: &str, code: &str, message: &str) {
        let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
        path.push(field);
        self.form.wrong(&path, code, message);
    }

    fn component(&mut self, component: &mut Value, path: &[String]) {
        let Value::Object(fields) = component else {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let message = "Only dictionaries may be used in a DictType";
            self.form.wrong(&path, "DICT_TYPE_CONVERT", message);
            return;
        };
        self.checked += 1;
        // A depth and a number of components that no message has.
        if self.checked > 10 * MOST_OF_V2 || path.len() > 12 {
            self.wrong(
                path,
                "components",
                "BASE_TYPE_MAX_LENGTH",
                "Too many components.",
            );
            return;
        }
        match fields.get("type") {
            None | Some(Value::Null) => {
                self.wrong(path, "type", "BASE_TYPE_REQUIRED", "This field is required");
            }
            Some(kind) => match kind.as_u64().filter(|kind| *kind <= 255) {
                None => {
                    let message = format!("Value \"{kind}\" is not int.");
                    self.wrong(path, "type", "NUMBER_TYPE_COERCE", &message);
                }
                Some(kind) => self.fields(fields, kind, path),
            },
        }
        self.last_id += 1;
        let id = self.last_id;
        fields.entry("id").or_insert_with(|| json!(id));
        for name in BELOW {
            let path = |place: Option<usize>| {
                let place = place.map(|place| place.to_string());
                let below = std::iter::once(name.to_owned()).chain(place);
                path.iter().cloned().chain(below).collect::<Vec<_>>()
            };
            match fields.get_mut(name) {
                Some(Value::Array(list)) => {
                    for (place, one) in list.iter_mut().enumerate() {
                        self.component(one, &path(Some(place)));
                    }
                }
                Some(below @ Value::Object(_)) => self.component(below, &path(None)),
                _ => {}
            }
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, kind: u64, path: &[String]) {
        let has = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
        let required = "This field is required";
        let count = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_array)
                .map_or(0, Vec::len)
        };
        if !self.shown.takes(kind) {
            let message = "A component of this type cannot stand here.";
            self.wrong(path, "type", "BASE_TYPE_CHOICES", message);
        }
        match kind {
            ROW if !(1..=5).contains(&count("components")) => {
                let message = "Must be between 1 and 5 in length.";
                self.wrong(path, "components", "BASE_TYPE_BAD_LENGTH", message);
            }
            ROW => {
                let below = fields.get("components").and_then(Value::as_array);
                let is_button = |one: &Value| one["type"] == BUTTON;
                let count = below.map_or(0, Vec::len);
                if count > 1 && !below.into_iter().flatten().all(is_button) {
                    let message = "A row has buttons, or one other component.";
                    let code = "COMPONENT_LAYOUT_WIDTH_EXCEEDED";
                    self.wrong(path, "components", code, message);
                }
            }
            BUTTON => {
                self.text_within(fields, path, "label", 80);
                let style = fields.get("style").and_then(Value::as_u64);
                match style {
                    Some(5) if !has("url") => {
                        self.wrong(path, "url", "BASE_TYPE_REQUIRED", required);
                    }
                    Some(5 | 6) => {}
                    Some(1..=4) => self.custom_id(fields, path),
                    None => self.wrong(path, "style", "BASE_TYPE_REQUIRED", required),
                    Some(_) => {
                        let message = "Value must be one of (1, 2, 3, 4, 5, 6).";
                        self.wrong(path, "style", "BASE_TYPE_CHOICES", message);
                    }
                }
                if style != Some(6) && !has("label") && !has("emoji") {
                    self.wrong(path, "label", "BUTTON_COMPONENT_EMPTY", required);
                }
            }
            STRING_SELECT => {
                self.custom_id(fields, path);
                if !(1..=MOST_OPTIONS).contains(&count("options")) {
                    let message = "Must be between 1 and 25 in length.";
                    self.wrong(path, "options", "BASE_TYPE_BAD_LENGTH", message);
                }
                self.options(fields, path);
                self.select(fields, path, count("options"));
            }
            5..=8 => {
                self.custom_id(fields, path);
                self.select(fields, path, MOST_OPTIONS);
            }
            TEXT_INPUT => self.custom_id(fields, path),
            TEXT_DISPLAY => {
                let content = fields.get("content").and_then(Value::as_str);
                match content.filter(|content| !content.is_empty()) {
                    Some(content) => self.text += content.chars().count(),
                    None => self.wrong(path, "content", "BASE_TYPE_REQUIRED", required),
                }
            }
            _ => {}
        }
    }

    fn text_within(
        &mut self,
        fields: &Map<String, Value>,
        path: &[String],
        name: &str,
        most: usize,
    ) {
        let text = fields.get(name).and_then(Value::as_str);
        if text.is_some_and(|text| text.chars().count() > most) {
            let message = format!("Must be {most} or fewer in length.");
            self.wrong(path, name, "BASE_TYPE_MAX_LENGTH", &message);
        }
    }

    /// How many of a select menu are chosen, out of so many.
    fn select(&mut self, fields: &Map<String, Value>, path: &[String], of: usize) {
        self.text_within(fields, path, "placeholder", 150);
        let number = |name: &str, absent: u64| match fields.get(name) {
            None | Some(Value::Null) => Some(absent),
            Some(value) => value.as_u64(),
        };
        let of = of.clamp(1, MOST_OPTIONS) as u64;
        let (least, most) = (number("min_values", 1), number("max_values", 1));
        if most.is_none_or(|most| !(1..=of).contains(&most)) {
            let message = format!("int value should be between 1 and {of}.");
            self.wrong(path, "max_values", "NUMBER_TYPE_MAX", &message);
        }
        if least.is_none_or(|least| least > most.unwrap_or(of)) {
            let message = "int value should be less than or equal to max_values.";
            self.wrong(path, "min_values", "NUMBER_TYPE_MAX", message);
        }
    }

    /// What a select menu offers.
    fn options(&mut self, fields: &Map<String, Value>, path: &[String]) {
        let options = fields.get("options").and_then(Value::as_array);
        let mut values = HashSet::new();
        for (place, option) in options.into_iter().flatten().enumerate() {
            let below = ["options".to_owned(), place.to_string()];
            let path: Vec<_> = path.iter().cloned().chain(below).collect();
            for name in ["label", "value"] {
                let length = option[name].as_str().map(|text| text.chars().count());
                match length {
                    None => {
                        let message = "This field is required";
                        self.wrong(&path, name, "BASE_TYPE_REQUIRED", message);
                    }
                    Some(1..=100) => {}
                    Some(_) => {
                        let message = "Must be between 1 and 100 in length.";
                        self.wrong(&path, name, "BASE_TYPE_BAD_LENGTH", message);
                    }
                }
            }
            let value = option["value"].as_str();
            if value.is_some_and(|value| !values.insert(value)) {
                let message = "The specified option value is already used";
                let code = "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED";
                self.wrong(&path, "value", code, message);
            }
        }
    }

    /// Every component that a person can use has a name of its own.
    fn custom_id(&mut self, fields: &Map<String, Value>, path: &[String]) {
        let custom_id = fields.get("custom_id").and_then(Value::as_str);
        let Some(custom_id) = custom_id else {
            let message = "This field is required";
            return self.wrong(path, "custom_id", "BASE_TYPE_REQUIRED", message);
        };
        if !(1..=100).contains(&custom_id.chars().count()) {
            let message = "Must be between 1 and 100 in length.";
            self.wrong(path, "custom_id", "BASE_TYPE_BAD_LENGTH", message);
        }
        if !self.custom_ids.insert(custom_id.to_owned()) {
            let message = "Component custom id cannot be duplicated";
            self.wrong(path, "custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", message);
        }
    }
}
