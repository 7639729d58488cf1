//! What stands in the structured fields (RFC 9651) of a signed request?
//!
//! Stricter than the standard in one point: what is repeated is refused. By the standard the last one counts, which
//! invites two readers to see different things.

use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor},
};

use super::SignatureError;

/// Most signatures of one request that are looked at.
const MAX_SIGNATURES: usize = 4;
const MAX_COVERED: usize = 32;
const MAX_PARAMETERS: usize = 8;

/// The value of a parameter of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole number.
    Number(i64),
    /// A string, without its quotes.
    Text(String),
    /// What no parameter that is defined may be.
    Other,
}

/// What `Signature-Input` says of one signature.
#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    /// Its name in both fields.
    pub(super) label: String,
    /// The names of the components that are covered, in order.
    pub(super) covered: Vec<String>,
    /// Whether a component has parameters (`;req`, `;sf`, `;bs`, `;key`, `;tr`, `;name`).
    pub(super) has_parametrised: bool,
    /// Its parameters, in order.
    pub(super) parameters: Vec<(String, Value)>,
}

/// Reads `Signature-Input` (RFC 9421 4.1).
///
/// # Errors
/// [`SignatureError::Malformed`]: no dictionary of inner lists of strings, something repeated or too much of it.
pub(super) fn inputs(header: &str) -> Result<Vec<Input>, SignatureError> {
    Parser::new(header).parse_dictionary_with_visitor(Inputs::default()).map_err(|_| SignatureError::Malformed)
}

/// Reads `Signature` (RFC 9421 4.2) or `Content-Digest` (RFC 9530 2): names with bytes.
///
/// # Errors
/// [`SignatureError::Malformed`]: no dictionary of byte sequences, something repeated or too much of it.
pub(super) fn byte_sequences(header: &str) -> Result<Vec<(String, Vec<u8>)>, SignatureError> {
    Parser::new(header).parse_dictionary_with_visitor(Sequences::default()).map_err(|_| SignatureError::Malformed)
}

/// What is well-formed, but not what is read here.
#[derive(Debug, thiserror::Error)]
#[error("not such a field")]
pub(super) struct Refused;

#[derive(Default)]
struct Inputs(Vec<Input>);

impl<'de> DictionaryVisitor<'de> for Inputs {
    type Out = Vec<Input>;
    type Error = Refused;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Refused> {
        let label = key.as_str();
        if self.0.len() >= MAX_SIGNATURES || self.0.iter().any(|input| input.label == label) {
            return Err(Refused);
        }
        self.0.push(Input { label: label.to_owned(), ..Input::default() });
        self.0.last_mut().ok_or(Refused)
    }

    fn finish(self) -> Result<Vec<Input>, Refused> {
        Ok(self.0)
    }
}

impl<'de> EntryVisitor<'de> for &mut Input {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'de>, Refused> {
        Err::<Ignored, _>(Refused)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Refused> {
        Ok(self)
    }
}

impl<'de> InnerListVisitor<'de> for &mut Input {
    type Error = Refused;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Refused> {
        if self.covered.len() >= MAX_COVERED { Err(Refused) } else { Ok(Component(self)) }
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Refused> {
        Ok(self)
    }
}

impl<'de> ParameterVisitor<'de> for &mut Input {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, key: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Refused> {
        let name = key.as_str();
        if self.parameters.len() >= MAX_PARAMETERS || self.parameters.iter().any(|(known, _)| known == name) {
            return Err(Refused);
        }
        let value = match value {
            BareItemFromInput::Integer(number) => Value::Number(number.into()),
            BareItemFromInput::String(text) => Value::Text(text.as_str().to_owned()),
            _ => Value::Other,
        };
        self.parameters.push((name.to_owned(), value));
        Ok(())
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

struct Component<'a>(&'a mut Input);

impl<'de> ItemVisitor<'de> for Component<'_> {
    type Out = ();
    type Error = Refused;

    fn bare_item(self, item: BareItemFromInput<'de>) -> Result<impl ParameterVisitor<'de, Out = ()>, Refused> {
        let BareItemFromInput::String(name) = item else { return Err(Refused) };
        self.0.covered.push(name.as_str().to_owned());
        Ok(self)
    }
}

impl<'de> ParameterVisitor<'de> for Component<'_> {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, _: &'de KeyRef, _: BareItemFromInput<'de>) -> Result<(), Refused> {
        self.0.has_parametrised = true;
        Ok(())
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

#[derive(Default)]
struct Sequences(Vec<(String, Vec<u8>)>);

impl<'de> DictionaryVisitor<'de> for Sequences {
    type Out = Vec<(String, Vec<u8>)>;
    type Error = Refused;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Refused> {
        let label = key.as_str();
        if self.0.len() >= MAX_PARAMETERS || self.0.iter().any(|(known, _)| known == label) {
            return Err(Refused);
        }
        self.0.push((label.to_owned(), Vec::new()));
        self.0.last_mut().map(|(_, bytes)| Sequence(bytes)).ok_or(Refused)
    }

    fn finish(self) -> Result<Self::Out, Refused> {
        Ok(self.0)
    }
}

struct Sequence<'a>(&'a mut Vec<u8>);

impl<'de> EntryVisitor<'de> for Sequence<'_> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'de>, Refused> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Refused> {
        Err::<Ignored, _>(Refused)
    }
}

impl<'de> ItemVisitor<'de> for Sequence<'_> {
    type Out = ();
    type Error = Refused;

    fn bare_item(self, item: BareItemFromInput<'de>) -> Result<impl ParameterVisitor<'de, Out = ()>, Refused> {
        let BareItemFromInput::ByteSequence(bytes) = item else { return Err(Refused) };
        *self.0 = bytes;
        Ok(Plain)
    }
}

/// Neither of the two fields has parameters at its bytes.
struct Plain;

impl<'de> ParameterVisitor<'de> for Plain {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, _: &'de KeyRef, _: BareItemFromInput<'de>) -> Result<(), Refused> {
        Err(Refused)
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}
