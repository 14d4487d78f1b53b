//! A page on which a browser compiles every shader in every specialisation, for `ci/browser-shaders`: its compiler is
//! another than naga, and stricter.

use std::collections::BTreeSet;

use super::steps;

/// Compiles what `SHADERS` holds, and says so in the console.
const SCRIPT: &str = r#"
const say = text => console.log(`shaders: ${text}`);
async function compile() {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return say("no adapter");
    const optional = ["shader-f16", "subgroups"].filter(name => adapter.features.has(name));
    const device = await adapter.requestDevice({ requiredFeatures: optional });
    const modules = new Map();
    for (const [source, name] of new Map(SHADERS.map(({ name, source }) => [source, name]))) {
        const module = device.createShaderModule({ code: source });
        modules.set(source, module);
        for (const { type, lineNum, message } of (await module.getCompilationInfo()).messages) {
            say(`${name}, line ${lineNum}: ${type}: ${message}`);
        }
    }
    let refused = 0;
    await Promise.all(SHADERS.map(async ({ name, source, constants }) => {
        const compute = { module: modules.get(source), entryPoint: "main", constants };
        try {
            await device.createComputePipelineAsync({ layout: "auto", compute });
        } catch (error) {
            refused++;
            say(`${name} with ${JSON.stringify(constants)}: ${error.message}`);
        }
    }));
    say(`${SHADERS.length} pipelines of ${modules.size} modules, ${refused} refused`);
}
compile().catch(error => say(`failed: ${error}`)).finally(() => say("end"));
"#;

#[test]
#[ignore = "writes a page for ci/browser-shaders, at SWITCHBACK_PAGE"]
fn every_specialisation_a_browser_may_run_is_on_a_page() {
    let path = std::env::var("SWITCHBACK_PAGE").expect("SWITCHBACK_PAGE says where");
    let mut seen = BTreeSet::new();
    let mut shaders = Vec::new();
    for step in steps() {
        let kernel = step.kernel;
        // Atomic addition of f32, integers of 64 bits and matrices are naga's own, and subgroups without the directive that WGSL asks for.
        let own = kernel.needs_float_atomics
            || kernel.has_int64()
            || kernel.has_subgroups()
            || kernel.enables("wgpu_cooperative_matrix");
        if own || !seen.insert(format!("{} {:?}", kernel.name, step.constants)) {
            continue;
        }
        let constants: serde_json::Map<_, _> =
            step.constants.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        shaders.push(serde_json::json!({ "name": kernel.name, "source": kernel.source(), "constants": constants }));
    }
    assert!(shaders.len() > 200, "{}", shaders.len());
    let shaders = serde_json::to_string(&shaders).unwrap();
    std::fs::write(&path, format!("<!doctype html>\n<script>\nconst SHADERS = {shaders};\n{SCRIPT}</script>\n"))
        .unwrap();
}
