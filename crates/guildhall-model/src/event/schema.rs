//! What a payload's type says of itself: with feature `schema` its OpenAPI schema, without it nothing,
//! and nothing is compiled for it.

#[cfg(feature = "schema")]
use std::borrow::Cow;

#[cfg(feature = "schema")]
use utoipa::{
    ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaType, Type},
    },
};

/// A payload that browsers may be sent.
#[cfg(feature = "schema")]
pub use utoipa::ToSchema as PublicSchema;

/// A payload that browsers may be sent.
#[cfg(not(feature = "schema"))]
pub trait PublicSchema {}

#[cfg(not(feature = "schema"))]
impl<T> PublicSchema for T {}

/// The schema of a payload, and of what it is made of.
#[cfg(feature = "schema")]
#[derive(Clone, Copy, Debug)]
pub(super) struct PayloadSchema {
    pub(super) name: fn() -> Cow<'static, str>,
    pub(super) schema: fn() -> RefOr<Schema>,
    pub(super) parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

#[cfg(feature = "schema")]
impl PayloadSchema {
    pub(super) const fn of<P: ToSchema>() -> Self {
        Self {
            name: P::name,
            schema: P::schema,
            parts: P::schemas,
        }
    }

    /// Whether it says nothing: such an object has any property in some readers' eyes, and none in
    /// others'.
    pub(super) fn is_empty(self) -> bool {
        matches!((self.schema)(), RefOr::T(Schema::Object(object)) if object.properties.is_empty())
    }
}

/// Always null.
#[cfg(feature = "schema")]
pub(super) fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Null))
}
