//! What browsers ask and get, as an OpenAPI 3.1 document. What events there are is the model's
//! table, what commands and questions the role's own; what is answered are the types that the routes
//! write. The prose is `docs/protocol/sse.md` and `docs/protocol/rpc.md`.

/// Commands and questions.
mod rpc;

use axum::{Router, response::IntoResponse, routing::get as answer_get};
use bytes::Bytes;
use guildhall_model::event::{
    EVENTS, StatePayload,
    components::{STREAM_EVENT, components},
};
use http::header;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApiBuilder,
        PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use crate::{
    auth::{Exchange, Me, Refreshed, SignOut},
    http::ErrorBody,
    rpc::RPCS,
};

/// Where it is served.
const ADDRESS: &str = "/api/openapi.json";

/// The name of a browser's security scheme.
const SESSION: &str = "session";

/// The name of that of the operator's programs.
const TOKEN: &str = "token";

/// The name of that of overlay links.
const OVERLAY: &str = "overlay";

/// The name of what such a program says beside its token to be a person.
const ACT_AS: &str = "actAs";

/// The route of the document: it is made once, for this router, and is everybody's.
pub(crate) fn routes() -> Router {
    let document = Bytes::from(openapi());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        // Another version of the product has another one.
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    let answer = move || std::future::ready((headers, document.clone()).into_response());
    Router::new().route(ADDRESS, answer_get(answer))
}

/// The document, as JSON.
///
/// # Panics
///
/// Never: what it is made of serialises.
#[must_use]
pub fn openapi() -> String {
    let info = InfoBuilder::new()
        .title("Guildhall")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Your Discord guild, live in your web app. Paths are relative to the base URL. Clients \
             ignore events and fields that they do not know.",
        ));
    let mut paths = PathsBuilder::new()
        .path("/api/stream", get(stream()))
        .path("/api/state", get(state()))
        .path("/api/me", get(me()))
        .path("/api/health", get(health()))
        .path(ADDRESS, get(document()))
        .path("/auth/login", get(login()))
        .path("/auth/callback", get(callback()))
        .path("/auth/exchange", post(exchange()))
        .path("/auth/refresh", post(refresh()))
        .path("/auth/logout", post(logout()));
    for rpc in RPCS {
        paths = paths.path(format!("/api/rpc/{}", rpc.name), post(rpc::operation(rpc)));
    }
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(all_components()))
        .build();
    let json = document.to_pretty_json();
    json.expect("strings, lists and maps with string keys serialise") + "\n"
}

fn stream() -> OperationBuilder {
    let stream = text(
        "text/event-stream",
        Ref::from_schema_name(STREAM_EVENT).into(),
        "Server-sent events, each with `event:`, one line of JSON as `data:`, and mostly an `id:`, \
         the cursor to come back with. It begins with `snapshot`, `resumed` or `bye`.",
    );
    let last_event_id = parameter("Last-Event-ID", ParameterIn::Header, string());
    query(operation(
        "stream",
        "The live stream of what the viewer may see",
    ))
    .parameter(last_event_id.description(Some("The cursor; wins over `lastEventId`.")))
    .response("200", stream)
}

fn state() -> OperationBuilder {
    query(operation("state", "The picture as JSON, once"))
        .response("200", json::<StatePayload>("The picture and its cursor."))
        .response("429", error("Too often: `retryAfter` says when again."))
        .response("503", error("What the viewer may see is not known now."))
}

/// What stream and state have in common.
fn query(operation: OperationBuilder) -> OperationBuilder {
    let id = || ArrayBuilder::new().items(Ref::from_schema_name("Snowflake"));
    let ids = |name| parameter(name, ParameterIn::Query, id());
    let families = EVENTS.families().map(|(name, _)| name);
    let family = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .enum_values(Some(families));
    let families = ArrayBuilder::new().items(family);
    let cursor = parameter("lastEventId", ParameterIn::Query, string());
    let none: [&str; 0] = [];
    known(operation)
        .security(SecurityRequirement::new(OVERLAY, none))
        .response("403", error("The token may not do this."))
        .parameter(ids("guild").description(Some("Only these guilds.")))
        .parameter(ids("channel").description(Some("Only rooms with these ids.")))
        .parameter(
            parameter("events", ParameterIn::Query, families)
                .explode(Some(false))
                .description(Some(
                    "Only these families of live events; others without one always come.",
                )),
        )
        .parameter(ids("viewing").description(Some(
            "The rooms whose pages the person is on, at most 8: they filter nothing, and while one \
             is seen it is not taken away as unused.",
        )))
        .parameter(cursor.description(Some("The cursor to go on from.")))
        .response("400", error("The query is malformed."))
        .response(
            "404",
            error("There is no such guild for this viewer, or an overlay link's maker does not see its room."),
        )
}

fn me() -> OperationBuilder {
    signed_in(operation("me", "Who is signed in"))
        .response("200", json::<Me>("The viewer."))
        .response("503", error("Which sessions are over is not known now."))
}

fn health() -> OperationBuilder {
    operation("health", "Whether this instance can serve")
        .response("200", plain("It can."))
        .response("503", plain("It cannot."))
}

fn document() -> OperationBuilder {
    let object = ObjectBuilder::new().schema_type(SchemaType::new(Type::Object));
    let description = "OpenAPI 3.1, of the version that answers.";
    operation("openapi", "This document")
        .response("200", text("application/json", object.into(), description))
}

fn login() -> OperationBuilder {
    let return_to = parameter("returnTo", ParameterIn::Query, string());
    let invite = parameter("invite", ParameterIn::Query, string());
    operation("login", "Begins signing in with Discord")
        .parameter(return_to.description(Some("Where the browser goes afterwards.")))
        .parameter(invite.description(Some(
            "The token of an invite: where the operator allows it, signing in lets the person into \
             its guild.",
        )))
        .response("303", plain("To Discord."))
        .response("503", html("The request only fetches ahead."))
}

fn callback() -> OperationBuilder {
    let words = ["code", "state", "error"].map(|name| {
        let from_discord = parameter(name, ParameterIn::Query, string());
        from_discord.description(Some("What Discord says.")).build()
    });
    operation("callback", "Where Discord sends the browser back to")
        .parameters(Some(words))
        .response(
            "303",
            plain("To where the sign-in began, signed in or not."),
        )
        .response("400", html("The sign-in is over, or is another browser's."))
        .response("429", html("Too many failures from this address."))
        .response("502", html("Discord does not answer as it should."))
        .response(
            "503",
            html("Later: too many sign in, or Discord asks us to wait."),
        )
}

fn exchange() -> OperationBuilder {
    let token = Ref::from_schema_name(Exchange::name());
    let content = ContentBuilder::new().schema(Some(token)).build();
    let body = RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::True))
        .build();
    written(operation(
        "exchange",
        "Signs in by a token of the operator's own login",
    ))
    .request_body(Some(body))
    .response(
        "200",
        json::<Refreshed>("Until when the session is good; the cookie is set."),
    )
    .response("400", error("The body is wrong."))
    .response("401", error("The token is not good, or was used before."))
    .response("404", error("The operator takes no other login."))
    .response("408", error("The body did not come to its end in time."))
    .response("413", error("The body is too large."))
    .response("429", error("Too often: `retryAfter` says when again."))
    .response(
        "503",
        error("No gateway can remember that the token is used."),
    )
}

fn refresh() -> OperationBuilder {
    written(signed_in(operation(
        "refresh",
        "The session's idle time counts from now",
    )))
    .response("200", json::<Refreshed>("Until when the session is good."))
    .response("503", error("Which sessions are over is not known now."))
}

fn logout() -> OperationBuilder {
    let wish = Ref::from_schema_name(SignOut::name());
    let content = ContentBuilder::new().schema(Some(wish)).build();
    let body = RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::False))
        .build();
    written(operation(
        "logout",
        "Ends the session, or all of its person's",
    ))
    .request_body(Some(body))
    .response("204", plain("It is over."))
    .response("400", error("The body is wrong. Nothing has ended."))
    .response("408", error("The body did not come to its end in time."))
    .response("413", error("The body is too large."))
    .response(
        "503",
        error("It has ended on this instance, and others can't be told now: try again."),
    )
}

/// What every write may be told.
fn written(operation: OperationBuilder) -> OperationBuilder {
    operation
        .response("403", error("The request comes from a foreign site."))
        .response("415", error("It is not `application/json`."))
}

fn signed_in(operation: OperationBuilder) -> OperationBuilder {
    let none: [&str; 0] = [];
    operation
        .security(SecurityRequirement::new(SESSION, none))
        .response("401", error("There is no session, or it is over."))
}

/// A browser's request, or one of the operator's programs'.
fn known(operation: OperationBuilder) -> OperationBuilder {
    let none: [&str; 0] = [];
    signed_in(operation)
        .security(SecurityRequirement::new(TOKEN, none))
        .security(SecurityRequirement::new(TOKEN, none).add(ACT_AS, none))
}

fn operation(id: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(summary))
}

fn get(operation: impl Into<Operation>) -> PathItem {
    PathItem::new(HttpMethod::Get, operation)
}

fn post(operation: impl Into<Operation>) -> PathItem {
    PathItem::new(HttpMethod::Post, operation)
}

fn parameter(name: &str, place: ParameterIn, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::from(Parameter::new(name))
        .parameter_in(place)
        .required(Required::False)
        .schema(Some(schema))
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn text(content_type: &str, schema: RefOr<Schema>, description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content(content_type, content)
}

fn json<T: ToSchema>(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name(T::name()).into();
    text("application/json", schema, description)
}

fn error(description: &str) -> ResponseBuilder {
    json::<ErrorBody>(description)
}

fn html(description: &str) -> ResponseBuilder {
    text("text/html", string().into(), description)
}

fn plain(description: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(description)
}

fn all_components() -> Components {
    let mut schemas = components(EVENTS);
    add::<StatePayload>(&mut schemas);
    add::<Me>(&mut schemas);
    add::<Refreshed>(&mut schemas);
    add::<Exchange>(&mut schemas);
    add::<SignOut>(&mut schemas);
    add::<ErrorBody>(&mut schemas);
    rpc::add_schemas(&mut schemas);
    let cookie = "On https; on plain http it is `guildhall`.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("__Host-guildhall", cookie));
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "One of the operator's tokens for programs, never said by a web page.",
        ))
        .build();
    let act_as = "The id of the Discord user that the program acts as, where its token may.";
    let act_as = ApiKey::Header(ApiKeyValue::with_description("Guildhall-As", act_as));
    let overlay = "The token of an overlay link: its one room is seen as its maker sees it, and nothing else is \
                   to be asked for beside it. As a bearer token it is taken, too.";
    let overlay = ApiKey::Query(ApiKeyValue::with_description(OVERLAY, overlay));
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(SESSION, SecurityScheme::ApiKey(cookie))
        .security_scheme(TOKEN, SecurityScheme::Http(token))
        .security_scheme(ACT_AS, SecurityScheme::ApiKey(act_as))
        .security_scheme(OVERLAY, SecurityScheme::ApiKey(overlay))
        .build()
}

fn add<T: ToSchema + PartialSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}
