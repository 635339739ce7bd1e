//! Commands and questions: an operation for each row of their table, with what it is told and
//! answers.

use utoipa::openapi::{
    ContentBuilder, Ref, RefOr, Required,
    path::{OperationBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::{AdditionalProperties, ObjectBuilder, Schema},
};

use super::{error, known, operation as named, parameter, string, text, written};
use crate::rpc::{RPCS, Rpc};

/// One of them.
pub(super) fn operation(rpc: &Rpc) -> OperationBuilder {
    let description = &rpc.description;
    let answer = Ref::from_schema_name((description.answer.name)());
    let answer = text("application/json", answer.into(), "The answer.");
    let operation = written(known(named(rpc.name, description.summary)))
        .tag("rpc")
        .description(Some(description.who_may))
        .request_body(Some(input_body(rpc)))
        .response("200", answer)
        .response("400", error("The body is wrong: `fields` says where."))
        .response("404", error("There is no such place, or it is not seen."))
        .response("408", error("The body did not come to its end in time."))
        .response("413", error("The body is too large."))
        .response("429", error("Too often: `retryAfter` says when again."))
        .response("503", error("Not now: `retryAfter` says when again."));
    match (rpc.is_command(), rpc.is_done_once()) {
        (true, true) => command(operation),
        (true, false) => operation.response("403", error(MAY_NOT)),
        (false, _) => operation,
    }
}

const MAY_NOT: &str =
    "It comes from a foreign site, or the asker may not: `missing` says what for.";

/// What having something done at Discord may be told beside that.
fn command(operation: OperationBuilder) -> OperationBuilder {
    let key = string().min_length(Some(1)).max_length(Some(200));
    let key = key.pattern(Some("^[!-~]+$"));
    let key = parameter("Idempotency-Key", ParameterIn::Header, key).description(Some(
        "Makes a repeated request one: for ten minutes it is answered as the first was.",
    ));
    operation
        .parameter(key)
        .response("403", error(MAY_NOT))
        .response("409", error("It cannot be done as things are."))
        .response("502", error("Discord refused it, or did not answer."))
        .response(
            "504",
            error("It was not done in time; its key tells later."),
        )
}

fn input_body(rpc: &Rpc) -> RequestBody {
    let schema = Ref::from_schema_name(input_name(rpc));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::True))
        .build()
}

/// `renameRoom` is told `RenameRoomInput`.
fn input_name(rpc: &Rpc) -> String {
    let (first, rest) = rpc.name.split_at(1);
    format!("{}{rest}Input", first.to_ascii_uppercase())
}

/// The schemas of all that they are told and answer, each once.
pub(super) fn add_schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    for rpc in RPCS {
        let answer = &rpc.description.answer;
        (answer.parts)(schemas);
        schemas.push(((answer.name)().into_owned(), (answer.schema)()));
        schemas.push((input_name(rpc), input(rpc)));
    }
}

fn input(rpc: &Rpc) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    for field in (rpc.description.input)() {
        object = object.property(field.name, described((field.schema)(), field.says));
        if field.required {
            object = object.required(field.name);
        }
    }
    if rpc.description.one_field {
        object = object.min_properties(Some(1)).max_properties(Some(1));
    }
    object.into()
}

fn described(schema: RefOr<Schema>, says: &str) -> RefOr<Schema> {
    match schema {
        RefOr::Ref(mut reference) => {
            says.clone_into(&mut reference.description);
            RefOr::Ref(reference)
        }
        RefOr::T(Schema::Object(mut object)) => {
            object.description = Some(says.to_owned());
            RefOr::T(Schema::Object(object))
        }
        other @ RefOr::T(_) => other,
    }
}
