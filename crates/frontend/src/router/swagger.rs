// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the router serves, described for programs: Swagger 2.0 and `OpenAPI` 3.0.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{MAX_BODY_BYTES, MAX_IMAGES, MAX_REQUEST_ID_CHARS};
use crate::Metrics;
use crate::model::digits::{CLASSES, MAX_INTENSITY, PIXELS, SIDE};

const TITLE: &str = "sealgate";
const DESCRIPTION: &str = "Scores images of handwritten digits.";

/// The document that `query` asks for: `version=3`, `version=2`, or none for 2.
pub(super) fn document(query: Option<&str>) -> Result<String, Refusal> {
    let mut members = query.unwrap_or_default().split('&');
    let version = members.find_map(|member| match member.split_once('=') {
        Some(("version", value)) => Some(value),
        _ => (member == "version").then_some(""),
    });
    match version {
        None | Some("2") => Ok(swagger_2().to_string()),
        Some("3") => Ok(openapi_3().to_string()),
        Some(_) => Err(Refusal::SwaggerVersion),
    }
}

/// One operation, free of what the two versions write differently.
struct Operation {
    path: &'static str,
    /// In small letters, as both versions have it.
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    takes_images: bool,
    takes_version: bool,
    /// Content type and schema of the answer with 200.
    answers: (&'static str, &'static str),
    /// Status codes of refusals, besides those that any operation has.
    refusals: &'static [&'static str],
}

const OPERATIONS: &[Operation] = &[
    Operation {
        path: "/",
        method: "get",
        id: "health",
        summary: "Says that the server is up",
        takes_images: false,
        takes_version: false,
        answers: ("text/plain", "Text"),
        refusals: &[],
    },
    Operation {
        path: "/score",
        method: "post",
        id: "score",
        summary: "Recognises the digits on images",
        takes_images: true,
        takes_version: false,
        answers: ("application/json", "ScoreResponse"),
        refusals: &["400", "408", "413", "415", "500", "502", "503", "504"],
    },
    Operation {
        path: "/metrics",
        method: "get",
        id: "metrics",
        summary: "Counters, as OpenMetrics text",
        takes_images: false,
        takes_version: false,
        answers: (Metrics::CONTENT_TYPE, "Text"),
        refusals: &["500"],
    },
    Operation {
        path: "/swagger.json",
        method: "get",
        id: "swagger",
        summary: "This document",
        takes_images: false,
        takes_version: true,
        answers: ("application/json", "Document"),
        refusals: &["400"],
    },
];

/// A request identifier that is too long is refused everywhere.
const COMMON_REFUSALS: &[&str] = &["431"];

fn refusal_text(code: &str) -> &'static str {
    match code {
        "400" => "The request is malformed; the error says where",
        "408" => "The body did not arrive in time",
        "413" => "The body is too large",
        "415" => "The body is said not to be plain JSON",
        "431" => "A request identifier is too long",
        "502" => "The model failed",
        "503" => "The model is busy: try again later",
        "504" => "The model did not answer in time",
        _ => "The server failed",
    }
}

fn swagger_2() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let answer = schema_of(operation.answers.1, "#/definitions/");
        let mut responses = Map::new();
        responses.insert("200".to_owned(), json!({ "description": "Done", "schema": answer }));
        for code in operation.refusals.iter().chain(COMMON_REFUSALS) {
            let schema = json!({ "$ref": "#/definitions/Error" });
            let refusal = json!({ "description": refusal_text(code), "schema": schema });
            responses.insert((*code).to_owned(), refusal);
        }
        let mut parameters = vec![request_id_parameter(json!({ "type": "string" }))];
        if operation.takes_images {
            parameters.push(json!({
                "name": "body", "in": "body", "required": true,
                "description": body_description(),
                "schema": { "$ref": "#/definitions/ScoreRequest" },
            }));
        }
        if operation.takes_version {
            let kind = json!({ "type": "string", "enum": ["2", "3"], "default": "2" });
            parameters.push(version_parameter(kind));
        }
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "produces": produces(operation),
            "parameters": parameters,
            "responses": responses,
        });
        if operation.takes_images {
            described["consumes"] = json!(["application/json"]);
        }
        paths.insert(operation.path.to_owned(), json!({ operation.method: described }));
    }
    json!({
        "swagger": "2.0",
        "info": info(),
        "schemes": ["https"],
        "paths": paths,
        "definitions": schemas(Version::Swagger2),
    })
}

/// Answers and refusals may differ in their content type.
fn produces(operation: &Operation) -> Vec<&'static str> {
    let mut types = vec![operation.answers.0, "application/json"];
    types.dedup();
    types
}

fn openapi_3() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let (content_type, name) = operation.answers;
        let schema = schema_of(name, "#/components/schemas/");
        let content = json!({ content_type: { "schema": schema } });
        let mut responses = Map::new();
        responses.insert("200".to_owned(), json!({ "description": "Done", "content": content }));
        for code in operation.refusals.iter().chain(COMMON_REFUSALS) {
            let schema = json!({ "$ref": "#/components/schemas/Error" });
            let content = json!({ "application/json": { "schema": schema } });
            let refusal = json!({ "description": refusal_text(code), "content": content });
            responses.insert((*code).to_owned(), refusal);
        }
        let mut parameters = vec![request_id_parameter(json!({ "schema": { "type": "string" } }))];
        if operation.takes_version {
            let schema = json!({ "type": "string", "enum": ["2", "3"], "default": "2" });
            parameters.push(version_parameter(json!({ "schema": schema })));
        }
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "parameters": parameters,
            "responses": responses,
        });
        if operation.takes_images {
            let schema = json!({ "$ref": "#/components/schemas/ScoreRequest" });
            described["requestBody"] = json!({
                "required": true,
                "description": body_description(),
                "content": { "application/json": { "schema": schema } },
            });
        }
        paths.insert(operation.path.to_owned(), json!({ operation.method: described }));
    }
    json!({
        "openapi": "3.0.3",
        "info": info(),
        "paths": paths,
        "components": { "schemas": schemas(Version::OpenApi3) },
    })
}

fn info() -> Value {
    json!({ "title": TITLE, "description": DESCRIPTION, "version": env!("CARGO_PKG_VERSION") })
}

fn body_description() -> String {
    format!("At most {MAX_BODY_BYTES} bytes and {MAX_IMAGES} images")
}

/// A parameter of the header `x-request-id`; `kind` is its type as the version writes it.
fn request_id_parameter(kind: Value) -> Value {
    let text = format!(
        "Identifier of the request, at most {MAX_REQUEST_ID_CHARS} characters; echoed in the answer"
    );
    parameter("x-request-id", "header", &text, kind)
}

/// A parameter of the query; `kind` is its type as the version writes it.
fn version_parameter(kind: Value) -> Value {
    parameter("version", "query", "2 for Swagger 2.0, 3 for OpenAPI 3.0", kind)
}

fn parameter(name: &str, place: &str, description: &str, mut kind: Value) -> Value {
    kind["name"] = json!(name);
    kind["in"] = json!(place);
    kind["description"] = json!(description);
    kind["required"] = json!(false);
    kind
}

fn schema_of(name: &str, prefix: &str) -> Value {
    match name {
        "Text" => json!({ "type": "string" }),
        "Document" => json!({ "type": "object" }),
        named => json!({ "$ref": format!("{prefix}{named}") }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Swagger2,
    OpenApi3,
}

fn schemas(version: Version) -> Value {
    let pixel = json!({ "type": "number", "minimum": 0, "maximum": MAX_INTENSITY });
    let flat = array(&pixel, PIXELS, PIXELS);
    let nested = array(&array(&pixel, SIDE, SIDE), SIDE, SIDE);
    // Swagger 2.0 has no alternatives: there the plainer form stands for both.
    let image = match version {
        Version::Swagger2 => flat,
        Version::OpenApi3 => json!({ "oneOf": [flat, nested] }),
    };
    let digit = json!({ "type": "integer", "minimum": 0, "maximum": CLASSES - 1 });
    let probability = json!({ "type": "number", "minimum": 0, "maximum": 1 });
    let probabilities = array(&array(&probability, CLASSES, CLASSES), 1, MAX_IMAGES);
    json!({
        "ScoreRequest": {
            "type": "object",
            "required": ["data"],
            "properties": { "data": array(&image, 1, MAX_IMAGES) },
        },
        "ScoreResponse": {
            "type": "object",
            "required": ["result", "probabilities"],
            "properties": {
                "result": array(&digit, 1, MAX_IMAGES),
                "probabilities": probabilities,
            },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": { "error": { "type": "string" } },
        },
    })
}

fn array(items: &Value, least: usize, most: usize) -> Value {
    json!({ "type": "array", "items": items, "minItems": least, "maxItems": most })
}
