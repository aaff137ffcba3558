//! What a component exports and imports, read off its bytes: what is missing is said before anything of it is compiled, which
//! may take many seconds. Whether the types fit is left to `load`, which links the compiled component.

use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The outside of a component.
pub(super) struct Outline<'w> {
    /// The names of its exports.
    pub(super) exports: Vec<String>,
    /// The component up to its first section that is more than types and imports. Tools put all imports there.
    head: &'w [u8],
}

impl<'w> Outline<'w> {
    /// Reads the outline of `wasm`.
    ///
    /// # Errors
    ///
    /// It can not be read to its end.
    pub(super) fn read(wasm: &'w [u8]) -> wasmparser::Result<Self> {
        let mut exports = Vec::new();
        let (mut depth, mut head, mut in_head) = (0_usize, 0, true);
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            let own = depth == 1;
            match &payload {
                Payload::Version { range, encoding, .. } => {
                    depth += 1;
                    if own || depth > 1 || *encoding != Encoding::Component {
                        in_head = false;
                    } else {
                        head = range.end;
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentTypeSection(types) if in_head && own => head = types.range().end,
                Payload::ComponentImportSection(imports) if in_head && own => head = imports.range().end,
                Payload::ComponentAliasSection(aliases) if in_head && own => head = aliases.range().end,
                Payload::CustomSection(section) if in_head && own => head = section.range().end,
                Payload::ComponentExportSection(section) if own => {
                    in_head = false;
                    for export in section.clone() {
                        exports.push(export?.name.name.to_owned());
                    }
                }
                _ => in_head = false,
            }
        }
        let head = wasm.get(..head).unwrap_or_default();
        Ok(Outline { exports, head })
    }

    /// A component with the imports of this one and nothing else, which costs next to nothing to compile. None: the imports do
    /// not stand by themselves, and the whole component says what is wrong.
    pub(super) fn imports(&self, engine: &Engine) -> Option<Component> {
        Component::new(engine, self.head).ok()
    }
}
