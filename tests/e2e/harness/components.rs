//! Components that no toolchain makes: each answers plain requests with a core module of a few instructions. They are put
//! together instruction by instruction, in the order of the binary format, in which everything is named by its number.

use super::wasm::patched;
use wasm_encoder::{
    Alias, BlockType, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentImportSection, ComponentInstanceSection, ComponentTypeRef, ComponentTypeSection,
    ComponentValType, EntityType, ExportKind, ExportSection, Function, FunctionSection, HeapType, ImportSection,
    InstanceSection, InstanceType, InstructionSink, MemArg, MemorySection, MemoryType, Module, ModuleArg,
    ModuleSection, PrimitiveValType, RefType, StartSection, TableSection, TableType, TypeBounds, TypeSection, ValType,
};

const HANDLER: &str = "wasi:http/incoming-handler@0.2.0";

/// The core functions of [`Core`] by number: the host's, what answers a request, and one for other use.
const DROP: u32 = 0;
const HANDLE: u32 = 1;
const OTHER: u32 = 2;

/// The core types by number: one number in, two, and a long one in and out.
const ONE: u32 = 0;
const TWO: u32 = 1;
const LONG: u32 = 2;
const NONE: u32 = 3;

/// A core module that can be exported as a handler.
#[derive(Default)]
struct Core {
    tables: TableSection,
    memories: MemorySection,
    /// The type of the function `OTHER` and its instructions, if there is one; and whether it is the start function.
    other: Option<(u32, Function)>,
    starts: bool,
    /// So many functions more with that type and these instructions, which nobody calls.
    more: u32,
}

/// Grows a table until it is not allowed to any more, and traps then.
pub(crate) fn grows_tables() -> Vec<u8> {
    let mut core = Core::default();
    core.tables.table(table(1));
    core.handler(|code| {
        code.loop_(BlockType::Empty).ref_null(HeapType::FUNC).i32_const(1000).table_grow(0);
        code.i32_const(-1).i32_ne().br_if(0).end().unreachable()
    })
}

/// Wants more table entries than it may have before it does anything.
pub(crate) fn begins_with_a_huge_table() -> Vec<u8> {
    let mut core = Core::default();
    core.tables.table(table(9_000_000));
    core.handler(|code| code)
}

/// Wants 4 GiB before it does anything.
pub(crate) fn begins_with_a_huge_memory() -> Vec<u8> {
    let mut core = Core::default();
    core.memories.memory(memory(65_535));
    core.handler(|code| code)
}

/// Has so many memories, and writes to the last.
pub(crate) fn with_memories(memories: u32) -> Vec<u8> {
    let mut core = Core::default();
    for _ in 0..memories {
        core.memories.memory(memory(1));
    }
    let last = MemArg { offset: 0, align: 2, memory_index: memories - 1 };
    core.handler(|code| code.i32_const(0).i32_const(1).i32_store(last))
}

/// Grows two memories by 40 MiB each, and traps where that fails.
pub(crate) fn grows_two_memories() -> Vec<u8> {
    let mut core = Core::default();
    for _ in 0..2 {
        core.memories.memory(memory(1));
    }
    core.handler(|code| {
        for index in 0..2 {
            code.i32_const(640).memory_grow(index).i32_const(-1).i32_eq().if_(BlockType::Empty).unreachable().end();
        }
        code
    })
}

/// Never gets out of its start function.
pub(crate) fn spins_in_its_start_function() -> Vec<u8> {
    let start = function(|code| code.loop_(BlockType::Empty).br(0).end());
    Core { other: Some((NONE, start)), starts: true, ..Core::default() }.handler(|code| code)
}

/// Gives back what it has given back.
pub(crate) fn drops_a_resource_twice() -> Vec<u8> {
    Core::default().handler(|code| code.local_get(0).call(DROP).local_get(0).call(DROP))
}

/// Gives back what it never had.
pub(crate) fn forges_handles() -> Vec<u8> {
    Core::default().handler(|code| code.i32_const(0x0101_0101).call(DROP))
}

/// Calls itself, in frames that are on the engine's own stack.
pub(crate) fn recurses_without_end() -> Vec<u8> {
    let recurse = function(|code| code.local_get(0).i64_const(1).i64_add().call(OTHER).local_get(0).i64_add());
    let core = Core { other: Some((LONG, recurse)), ..Core::default() };
    core.handler(|code| code.i64_const(0).call(OTHER).drop())
}

/// Looks for the memory of the host behind its own.
pub(crate) fn reads_beyond_its_memory() -> Vec<u8> {
    let mut core = Core::default();
    core.memories.memory(memory(1));
    let far = MemArg { offset: u64::from(u32::MAX) - 8, align: 2, memory_index: 0 };
    core.handler(|code| code.i32_const(-1).i32_load(far).drop())
}

/// Some megabytes that take a compiler minutes: long functions, each with as many values that are in use at once as the
/// format allows.
pub(crate) fn bomb() -> Vec<u8> {
    let mut long = Function::new([(2_000, ValType::I64)]);
    let mut code = long.instructions();
    for round in 0..20 {
        for local in 1..2_000 {
            code.local_get(local - 1).local_get((local * 7 + round) % 2_000).i64_mul().local_set(local);
            if local % 10 == 0 {
                code.loop_(BlockType::Empty).local_get(local).i64_eqz().br_if(0).end();
            }
        }
    }
    code.local_get(1_999).end();
    Core { other: Some((LONG, long)), more: 20, ..Core::default() }.handler(|code| code)
}

/// Wants something of the host that no host offers.
pub(crate) fn imports_the_unknown() -> Vec<u8> {
    let usual = Core::default().handler(|code| code);
    patched(&usual, "wasi:http/types@0.2.0", "lakou:core/guts@0.1.0").0
}

/// A handler by name, and a number by type.
pub(crate) fn exports_the_wrong_type() -> Vec<u8> {
    let mut component = Component::new();
    let mut code = CodeSection::new();
    code.function(&function(|code| code.i32_const(7)));
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    module.section(&types).section(FunctionSection::new().function(0));
    module.section(ExportSection::new().export("handle", ExportKind::Func, 0)).section(&code);
    component.section(&ModuleSection(&module));
    let mut instances = InstanceSection::new();
    instances.instantiate::<_, &str>(0, []);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: "handle" });
    let mut types = ComponentTypeSection::new();
    types.function().params::<_, ComponentValType>([]).result(Some(PrimitiveValType::U32.into()));
    let mut functions = CanonicalFunctionSection::new();
    functions.lift(0, 0, []);
    component.section(&instances).section(&aliases).section(&types).section(&functions);
    with_handler(component, 0)
}

impl Core {
    /// A component whose handler is `code`, with the request and the place for the answer as its first two locals.
    fn handler(
        self,
        code: impl for<'a, 'b> FnOnce(&'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b>,
    ) -> Vec<u8> {
        let mut types = ComponentTypeSection::new();
        let mut resources = InstanceType::new();
        for name in ["incoming-request", "response-outparam"] {
            resources.export(name, ComponentTypeRef::Type(TypeBounds::SubResource));
        }
        types.instance(&resources);
        let mut imports = ComponentImportSection::new();
        imports.import("wasi:http/types@0.2.0", ComponentTypeRef::Instance(0));
        let mut aliases = ComponentAliasSection::new();
        for name in ["incoming-request", "response-outparam"] {
            aliases.alias(Alias::InstanceExport { instance: 0, kind: ComponentExportKind::Type, name });
        }
        let mut functions = CanonicalFunctionSection::new();
        functions.resource_drop(1);
        let mut component = Component::new();
        component.section(&types).section(&imports).section(&aliases).section(&functions);

        let module = self.module(&function(code));
        let mut instances = InstanceSection::new();
        instances.export_items([("drop", ExportKind::Func, 0)]);
        instances.instantiate(0, [("host", ModuleArg::Instance(0))]);
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::CoreInstanceExport { instance: 1, kind: ExportKind::Func, name: "handle" });
        component.section(&ModuleSection(&module)).section(&instances).section(&aliases);

        let mut types = ComponentTypeSection::new();
        types.defined_type().own(1);
        types.defined_type().own(2);
        let parameters = [("request", ComponentValType::Type(3)), ("response-out", ComponentValType::Type(4))];
        types.function().params(parameters).result(None);
        let mut functions = CanonicalFunctionSection::new();
        functions.lift(1, 5, []);
        component.section(&types).section(&functions);
        with_handler(component, 1)
    }

    fn module(&self, handle: &Function) -> Module {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32], []);
        types.ty().function([ValType::I32; 2], []);
        types.ty().function([ValType::I64], [ValType::I64]);
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("host", "drop", EntityType::Function(ONE));
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        functions.function(TWO);
        code.function(handle);
        if let Some((of, other)) = &self.other {
            for _ in 0..=self.more {
                functions.function(*of);
                code.function(other);
            }
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&self.tables).section(&self.memories);
        module.section(ExportSection::new().export("handle", ExportKind::Func, HANDLE));
        if self.starts {
            module.section(&StartSection { function_index: OTHER });
        }
        module.section(&code);
        module
    }
}

/// Exports the component's first function as the handler; `instances` is how many instances it has.
fn with_handler(mut component: Component, instances: u32) -> Vec<u8> {
    let mut handlers = ComponentInstanceSection::new();
    handlers.export_items([("handle", ComponentExportKind::Func, 0)]);
    let mut exports = ComponentExportSection::new();
    exports.export(HANDLER, ComponentExportKind::Instance, instances, None);
    component.section(&handlers).section(&exports);
    component.finish()
}

fn function(code: impl for<'a, 'b> FnOnce(&'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b>) -> Function {
    let mut function = Function::new([]);
    let mut instructions = function.instructions();
    code(&mut instructions);
    instructions.end();
    function
}

fn table(minimum: u64) -> TableType {
    TableType { element_type: RefType::FUNCREF, table64: false, minimum, maximum: None, shared: false }
}

fn memory(minimum: u64) -> MemoryType {
    MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None }
}
