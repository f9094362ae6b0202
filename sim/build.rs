// SPDX-License-Identifier: Apache-2.0 OR MIT
//! With feature `rtl`: verilates the record engine and the AEAD of its lanes and compiles them with the C++ shim.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "rtl")]
    if let Err(error) = rtl::build() {
        println!("cargo::error={error}");
        std::process::exit(1);
    }
}

#[cfg(feature = "rtl")]
mod rtl {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::{env, fs, io};

    /// A model that is made.
    struct Model {
        name: String,
        module: &'static str,
        options: Vec<String>,
        /// A file beside those of the engine that the module stands in.
        wrapper: Option<PathBuf>,
        /// What the compiler does with the code that runs in every cycle.
        opt_level: u32,
    }

    /// The shapes that every build has: lanes and width of the bus.
    const SHAPES: [(u32, u32); 2] = [(1, 128), (4, 512)];

    /// The shapes that the feature `rtl-shapes` adds, beside a model with pipelined lanes. They run a few tests: that is
    /// not worth long compiling.
    const MORE_SHAPES: [(u32, u32); 7] =
        [(1, 256), (1, 512), (2, 128), (2, 256), (2, 512), (4, 128), (4, 256)];

    /// What the shim needs for the model with pipelined lanes.
    const PIPELINED: &str = "#include \"Vsealgate_top_pipelined.h\"\n#define SEALGATE_PIPELINED\n";

    /// What the shim needs for the lane alone.
    const LANE: &str = "#include \"Vsealgate_bare_lane.h\"\n#define SEALGATE_LANE\n";

    /// Without splitting of always blocks and without tables in place of logic the models take fewer instructions and
    /// less of the instruction cache: counted, for this RTL.
    const VERILATOR_OPTIONS: [&str; 10] = [
        "--cc",
        "-O3",
        "--x-assign",
        "fast",
        "--x-initial",
        "fast",
        "--noassert",
        "--no-timing",
        "-fno-split",
        "-fno-table",
    ];

    /// What verilated.mk would define for these options.
    const DEFINES: [(&str, &str); 8] = [
        ("VERILATOR", "1"),
        ("VM_COVERAGE", "0"),
        ("VM_SC", "0"),
        ("VM_TIMING", "0"),
        ("VM_TRACE", "1"),
        ("VM_TRACE_FST", "1"),
        ("VM_TRACE_VCD", "0"),
        ("VM_TRACE_SAIF", "0"),
    ];

    pub(crate) fn build() -> Result<(), String> {
        for variable in ["VERILATOR_ROOT", "SEALGATE_TOOLS"] {
            println!("cargo::rerun-if-env-changed={variable}");
        }
        let manifest = PathBuf::from(required("CARGO_MANIFEST_DIR")?);
        let out = PathBuf::from(required("OUT_DIR")?);
        let workspace = manifest.parent().ok_or("the crate stands in no workspace")?;
        let rtl = workspace.join("hdl/rtl");
        let shim = manifest.join("src/rtl");
        let lane = shim.join("sealgate_bare_lane.sv");
        for source in [&rtl, &shim.join("shim.cpp"), &shim.join("shim.h"), &lane] {
            println!("cargo::rerun-if-changed={}", source.display());
        }

        let verilator = verilator_root(workspace)?;
        let mut sources = Sources::default();
        sources.add(3, shim.join("shim.cpp"));
        let include = verilator.join("include");
        for runtime in ["verilated.cpp", "verilated_threads.cpp", "verilated_fst_c.cpp"] {
            sources.add(3, include.join(runtime));
        }
        let mut includes = vec![include.join("vltstd"), include, shim, out.clone()];
        let mut shapes = SHAPES.to_vec();
        let mut models = models();
        let mut parts = Vec::new();
        if env::var_os("CARGO_FEATURE_RTL_SHAPES").is_some() {
            shapes.extend(MORE_SHAPES);
            models.push(pipelined());
            parts.push(PIPELINED);
        }
        if env::var_os("CARGO_FEATURE_RTL_LANE").is_some() {
            models.push(bare_lane(lane));
            parts.push(LANE);
        }
        models.extend(shapes.iter().copied().map(in_shape));
        for model in models {
            let generated = out.join(&model.name);
            verilate(&verilator, &rtl.join("sealgate.f"), &model, &generated)?;
            let [rest, start] = gather(&generated).map_err(|error| at(&generated, &error))?;
            sources.add(model.opt_level, rest);
            sources.add(0, start);
            includes.push(generated);
        }
        list_models(&shapes, &parts, &out.join("sealgate_models.h"))?;
        // FST files are packed by zlib and LZ4, which their crates bring along.
        for library in ["DEP_Z_INCLUDE", "DEP_LZ4_INCLUDE"] {
            includes.push(required(library)?.into());
        }
        compile(&sources, &includes)
            .map_err(|error| format!("the verilated RTL does not compile: {error}"))
    }

    /// The engine in a shape.
    fn in_shape((lanes, width): (u32, u32)) -> Model {
        Model {
            name: format!("sealgate_top_{lanes}x{width}"),
            module: "sealgate_top",
            options: vec![
                format!("-GLANES={lanes}"),
                format!("-GDATA_WIDTH={width}"),
                "--no-trace".to_owned(),
            ],
            wrapper: None,
            opt_level: if SHAPES.contains(&(lanes, width)) { 3 } else { 1 },
        }
    }

    /// The engine in the narrowest shape with the queues in its lanes that only hardware needs.
    fn pipelined() -> Model {
        Model {
            name: "sealgate_top_pipelined".to_owned(),
            module: "sealgate_top",
            options: vec!["-GPipelined=1".to_owned(), "--no-trace".to_owned()],
            wrapper: None,
            opt_level: 1,
        }
    }

    /// A lane without the device around it.
    fn bare_lane(wrapper: PathBuf) -> Model {
        Model {
            name: "sealgate_bare_lane".to_owned(),
            module: "sealgate_bare_lane",
            options: vec!["--no-trace".to_owned()],
            wrapper: Some(wrapper),
            opt_level: 3,
        }
    }

    /// What every build has beside the shapes: the engine once more, able to write a waveform, and the AEAD of a lane.
    /// Being able to write a waveform makes a model a tenth slower even when it does not, so that is a model apart.
    fn models() -> Vec<Model> {
        let model = |(name, module, option): (&str, &'static str, &str)| Model {
            name: name.to_owned(),
            module,
            options: vec![option.to_owned()],
            wrapper: None,
            opt_level: 3,
        };
        [
            ("sealgate_top_traced", "sealgate_top", "--trace-fst"),
            ("sealgate_aead", "sealgate_aead", "--no-trace"),
        ]
        .map(model)
        .into()
    }

    /// Tells the shim which shapes there are, and of the parts that only some builds have.
    fn list_models(shapes: &[(u32, u32)], parts: &[&str], header: &Path) -> Result<(), String> {
        let list = |line: fn(&(u32, u32)) -> String| shapes.iter().map(line).collect::<Vec<_>>();
        let includes =
            list(|(lanes, width)| format!("#include \"Vsealgate_top_{lanes}x{width}.h\"\n"));
        let entries = list(|(lanes, width)| format!(" SHAPE({lanes}, {width})"));
        let text = format!(
            "#pragma once\n{}{}#define SEALGATE_SHAPES(SHAPE){}\n",
            includes.concat(),
            parts.concat(),
            entries.concat()
        );
        fs::write(header, text).map_err(|error| at(header, &error))
    }

    /// Source files by level of optimisation.
    #[derive(Default)]
    struct Sources(BTreeMap<u32, Vec<PathBuf>>);

    impl Sources {
        fn add(&mut self, opt_level: u32, source: PathBuf) {
            self.0.entry(opt_level).or_default().push(source);
        }
    }

    /// Compiles all into one static library.
    fn compile(sources: &Sources, includes: &[PathBuf]) -> Result<(), cc::Error> {
        let mut objects = Vec::new();
        for (&opt_level, files) in &sources.0 {
            let compiled =
                compiler(includes).opt_level(opt_level).files(files).try_compile_intermediates()?;
            objects.extend(compiled);
        }
        compiler(includes).objects(objects).try_compile("sealgate_rtl")
    }

    /// Puts what Verilator generated into two files, as its own makefile does: reading the headers anew for each of the
    /// many small ones takes longer than their code. One is what runs only at the start, which Verilator marks as slow
    /// and which is not worth optimising; the other is the rest.
    fn gather(generated: &Path) -> io::Result<[PathBuf; 2]> {
        let [mut fast, mut slow] = [String::new(), String::new()];
        let mut sources = Vec::new();
        for entry in fs::read_dir(generated)? {
            sources.push(entry?.path());
        }
        sources.sort();
        for source in sources.iter().filter(|path| path.extension().is_some_and(|it| it == "cpp")) {
            let include = format!("#include \"{}\"\n", source.display());
            let rarely_run = source.to_string_lossy().ends_with("__Slow.cpp");
            if !rarely_run {
                fs::write(source, slim(&fs::read_to_string(source)?))?;
            }
            if rarely_run { &mut slow } else { &mut fast }.push_str(&include);
        }
        let paths = ["all_fast.cpp", "all_slow.cpp"].map(|name| generated.join(name));
        fs::write(&paths[0], fast)?;
        fs::write(&paths[1], slow)?;
        Ok(paths)
    }

    /// Takes work off the memories of a model, which are written in few cycles. A write is kept in variables `__VdlyVal`,
    /// `__VdlyDim0` and the like until all is read; `__VdlySet` says whether there is one. Verilator sets all of them to
    /// zero in every cycle although those with the value are only read when the flag is set, and its compiler puts the
    /// write itself in the way of the cycles without one. A model executes more code per cycle than the first cache
    /// of instructions holds, so every line of it counts. A Verilator that writes this differently is left alone.
    fn slim(code: &str) -> String {
        const KEPT: [&str; 3] = ["__VdlyVal__", "__VdlyDim", "__VdlyLsb__"];

        let is_name =
            |text: &str| text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        let mut slimmed = String::with_capacity(code.len());
        for line in code.lines() {
            let text = line.trim_start();
            let zeroed = text.strip_suffix(" = 0;").or_else(|| {
                text.strip_prefix("VL_ZERO_W(")?.strip_suffix(");")?.split_once(", ").map(|it| it.1)
            });
            if zeroed.is_some_and(|it| is_name(it) && KEPT.iter().any(|kept| it.starts_with(kept)))
            {
                continue;
            }
            let flag = text.strip_prefix("if (").and_then(|it| it.strip_suffix(") {"));
            if let Some(flag) = flag.filter(|it| it.starts_with("__VdlySet__") && is_name(it)) {
                slimmed.extend(["if (VL_UNLIKELY(", flag, ")) {"]);
            } else {
                slimmed.push_str(line);
            }
            slimmed.push('\n');
        }
        slimmed
    }

    /// The folder that holds Verilator's `bin` and `include`.
    fn verilator_root(workspace: &Path) -> Result<PathBuf, String> {
        const HELP: &str = "run `cargo xtask setup`, or set VERILATOR_ROOT to a Verilator 5";

        if let Some(root) = env::var_os("VERILATOR_ROOT").filter(|root| !root.is_empty()) {
            let root = PathBuf::from(root);
            if verilator_bin(&root).is_file() {
                return Ok(root);
            }
            return Err(format!(
                "VERILATOR_ROOT is {}, where no Verilator is: {HELP}",
                root.display()
            ));
        }
        let tools = env::var_os("SEALGATE_TOOLS")
            .filter(|tools| !tools.is_empty())
            .map_or_else(|| workspace.join(".tools"), PathBuf::from);
        let libraries = tools.join("venv-verilator/lib");
        fs::read_dir(&libraries)
            .into_iter()
            .flatten()
            .filter_map(|python| Some(python.ok()?.path().join("site-packages/verilator")))
            .find(|root| verilator_bin(root).is_file())
            .ok_or_else(|| format!("there is no Verilator in {}: {HELP}", libraries.display()))
    }

    fn verilator_bin(root: &Path) -> PathBuf {
        root.join("bin/verilator_bin")
    }

    /// Runs Verilator; what it left from an earlier run goes first, for its file names change with the design.
    fn verilate(root: &Path, files: &Path, model: &Model, generated: &Path) -> Result<(), String> {
        match fs::remove_dir_all(generated) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(at(generated, &error));
            }
            _ => {}
        }
        // Lint is a check of its own; here a warning must not stop whoever runs a newer Verilator.
        let output = Command::new(verilator_bin(root))
            .env("VERILATOR_ROOT", root)
            .args(VERILATOR_OPTIONS)
            .args(["-Wno-fatal", "-Wno-lint", "-Wno-style"])
            .args(&model.options)
            .args(["--top-module", model.module, "--prefix", &format!("V{}", model.name)])
            .arg("--Mdir")
            .arg(generated)
            .arg("-F")
            .arg(files)
            .args(&model.wrapper)
            .output()
            .map_err(|error| at(&verilator_bin(root), &error))?;
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let first = message.lines().find(|line| line.starts_with("%Error")).unwrap_or("no message");
        eprintln!("{message}");
        Err(format!("Verilator does not accept {}: {first}", files.display()))
    }

    fn compiler(includes: &[PathBuf]) -> cc::Build {
        let mut compiler = cc::Build::new();
        compiler
            .cpp(true)
            .std("c++17")
            .debug(false)
            .warnings(false)
            .extra_warnings(false)
            .flag_if_supported("-march=native")
            // All is in one library: nothing has to be found by name at run time.
            .flag_if_supported("-fvisibility=hidden")
            // A model is one long way through thousands of variables. What is computed early for a later use on
            // some of its branches is code on all of them, and mostly ends up on the stack.
            .flag_if_supported("-fno-tree-pre")
            .flag_if_supported("-fno-code-hoisting")
            .includes(includes);
        for (name, value) in DEFINES {
            compiler.define(name, value);
        }
        compiler
    }

    fn required(variable: &str) -> Result<String, String> {
        env::var(variable).map_err(|_| format!("Cargo did not set {variable}"))
    }

    fn at(path: &Path, error: &io::Error) -> String {
        format!("{}: {error}", path.display())
    }
}
