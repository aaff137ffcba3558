//! wasmtime itself says what is recognized: components that go over each limit, put together by hand.

use wasm_encoder::{
    Alias, BlockType, CanonicalFunctionSection, CanonicalOption, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentTypeRef, ComponentTypeSection,
    ComponentValType, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, InstanceSection, InstanceType, MemorySection, MemoryType, Module, ModuleArg, ModuleSection,
    PrimitiveValType, TypeSection, ValType,
};
use wasmtime::component::{self, Linker, ResourceTable};
use wasmtime::{Engine, Store};

use super::{Error, Exceeded, exceeded, missing_import};

const IMPORT: &str = "lakou:core/guts@0.1.0";

/// Calls what `component` exports as `run`, in a store with these limits.
fn run<R>(component: &Component, handles: usize, fuel: usize) -> Error
where
    R: component::ComponentNamedList + component::Lift + 'static,
{
    let engine = Engine::default();
    let component = component::Component::new(&engine, component.clone().finish()).expect("a component");
    let mut store = Store::new(&engine, ());
    store.set_max_component_handles(handles);
    store.set_hostcall_fuel(fuel);
    let instance = Linker::new(&engine).instantiate(&mut store, &component).expect("it imports nothing");
    let run = instance.get_typed_func::<(), R>(&mut store, "run").expect("a function");
    run.call(&mut store, ()).map(drop).expect_err("it is over the limit")
}

/// Makes handles of a resource of its own, without end.
fn makes_handles() -> Component {
    let (mut module, mut types, mut code) = (Module::new(), TypeSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([], []);
    let mut function = Function::new([]);
    function.instructions().loop_(BlockType::Empty).i32_const(7).call(0).drop().br(0).end().end();
    code.function(&function);
    module.section(&types).section(ImportSection::new().import("own", "new", EntityType::Function(0)));
    module.section(FunctionSection::new().function(1));
    module.section(ExportSection::new().export("run", ExportKind::Func, 1)).section(&code);

    let (mut component, mut types) = (Component::new(), ComponentTypeSection::new());
    types.resource(ValType::I32, None);
    types.function().params::<_, ComponentValType>([]).result(None);
    let (mut new, mut lifted) = (CanonicalFunctionSection::new(), CanonicalFunctionSection::new());
    new.resource_new(0);
    lifted.lift(1, 1, []);
    let mut instances = InstanceSection::new();
    instances.export_items([("new", ExportKind::Func, 0)]);
    instances.instantiate(0, [("own", ModuleArg::Instance(0))]);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: 1, kind: ExportKind::Func, name: "run" });
    component.section(&types).section(&new).section(&ModuleSection(&module)).section(&instances);
    component.section(&aliases).section(&lifted);
    exporting(component)
}

/// Hands over a text of 64 bytes.
fn hands_over() -> Component {
    let (mut module, mut types, mut code) = (Module::new(), TypeSection::new(), CodeSection::new());
    types.ty().function([], [ValType::I32]);
    let mut function = Function::new([]);
    function.instructions().i32_const(0).end();
    code.function(&function);
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, 0).export("memory", ExportKind::Memory, 0);
    module.section(&types).section(FunctionSection::new().function(0)).section(MemorySection::new().memory(memory));
    module.section(&exports).section(&code);
    // Where it is, and how long: bytes of 0 are a text.
    module.section(DataSection::new().active(0, &ConstExpr::i32_const(0), [16, 0, 0, 0, 64, 0, 0, 0]));

    let (mut component, mut types) = (Component::new(), ComponentTypeSection::new());
    types.function().params::<_, ComponentValType>([]).result(Some(PrimitiveValType::String.into()));
    let mut instances = InstanceSection::new();
    instances.instantiate::<_, &str>(0, []);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: "run" });
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Memory, name: "memory" });
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(0, 0, [CanonicalOption::Memory(0)]);
    component.section(&ModuleSection(&module)).section(&instances).section(&aliases).section(&types).section(&lifted);
    exporting(component)
}

fn exporting(mut component: Component) -> Component {
    let mut exports = ComponentExportSection::new();
    exports.export("run", ComponentExportKind::Func, 0, None);
    component.section(&exports);
    component
}

#[test]
fn too_many_handles() {
    assert_eq!(exceeded(&run::<()>(&makes_handles(), 10, 1 << 20)), Some(Exceeded::Handles));

    let mut table = ResourceTable::new();
    table.set_max_capacity(1);
    table.push(()).expect("room for one");
    let full = Error::from(table.push(()).expect_err("no room for two"));
    assert_eq!(exceeded(&full.context("on the way")), Some(Exceeded::Handles));
}

#[test]
fn too_much_handed_over() {
    assert_eq!(exceeded(&run::<(String,)>(&hands_over(), 10, 8)), Some(Exceeded::Handover));
}

#[test]
fn other_errors_are_no_limits() {
    for other in [Error::from(wasmtime::Trap::UnreachableCodeReached), Error::msg("the handle table is fuel")] {
        assert_eq!(exceeded(&other), None, "{other:?}");
        assert_eq!(missing_import(&other), None, "{other:?}");
    }
}

#[test]
fn an_import_that_nobody_offers() {
    let (mut component, mut types, mut imports) =
        (Component::new(), ComponentTypeSection::new(), ComponentImportSection::new());
    let mut guts = InstanceType::new();
    guts.ty().function().params::<_, ComponentValType>([]).result(None);
    guts.export("spill", ComponentTypeRef::Func(0));
    types.instance(&guts);
    imports.import(IMPORT, ComponentTypeRef::Instance(0));
    component.section(&types).section(&imports);

    let engine = Engine::default();
    let component = component::Component::new(&engine, component.finish()).expect("a component");
    let mut linker = Linker::<()>::new(&engine);
    let missing = |linker: &Linker<()>| linker.instantiate_pre(&component).err().as_ref().and_then(missing_import);
    assert_eq!(missing(&linker).as_deref(), Some(IMPORT), "none of the name");
    let mut instance = linker.instance(IMPORT).expect("a new name");
    instance.func_wrap("other", |_, (): ()| Ok(())).expect("a new function");
    assert_eq!(missing(&linker).as_deref(), Some(IMPORT), "another one of the name");
    linker.instance(IMPORT).expect("the same").func_wrap("spill", |_, (): ()| Ok(())).expect("a new function");
    assert_eq!(missing(&linker), None);
}
