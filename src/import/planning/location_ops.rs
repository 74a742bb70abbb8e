//! The ops that concern the location and no row: custom fields that are created, and deleted by an undo.

use serde_json::Value;

use super::op_buffer::OpBuffer;
use crate::import::ImportError;
use crate::model::{IdempotencyClass, NewField, Op, OpChange, op_codec};

/// Adds the creation of each field. Nothing may be in the buffer yet.
pub(crate) fn push_field_ops(fields: &[NewField], ops: &mut OpBuffer) -> Result<(), ImportError> {
    for field in fields {
        let change = OpChange::CreateField { body: field.request_body() };
        let key = format!("custom field {}", field.name);
        push_location_op(ops, key, IdempotencyClass::Countable, change)?;
    }
    Ok(())
}

/// Adds an op of the location.
pub(crate) fn push_location_op(
    ops: &mut OpBuffer,
    key: String,
    class: IdempotencyClass,
    change: OpChange,
) -> Result<(), ImportError> {
    let id = ops.next_id();
    let op = Op {
        id,
        key,
        like: None,
        row: 0,
        step: u32::try_from(id).unwrap_or(u32::MAX),
        serial_group: 0,
        class,
        contact: None,
        after: Vec::new(),
        change,
        before: Value::Null,
    };
    ops.push(&op_codec::encode_op(&op, id))
}
