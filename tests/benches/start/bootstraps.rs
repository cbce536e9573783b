//! The functions as they are deployed: where their release builds lie, what they weigh zipped, what is set around them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_yaml_ng::{Mapping, Value};
use tempfile::TempDir;

use super::program::Program;

/// What to run when there is nothing to measure.
const BUILD: &str = "build the functions first, either as they are deployed:
    cargo lambda build --release --output-format zip
or with cargo alone:
    cargo build --release --bins
Another folder can be given: cargo bench -p switchboard-tests --bench start -- FOLDER";

/// One function, ready to be started.
pub struct Bootstrap {
    /// The function's name, which is that of its folder.
    pub name: String,
    /// The size of its zip in bytes.
    pub zipped: u64,
    file: PathBuf,
    /// Where it was unpacked to, or its zip was made, as long as it is needed.
    _folder: TempDir,
}

impl Bootstrap {
    /// It, with the variables that the template gives to this function.
    pub fn program(&self) -> Program {
        let given = |program: Program, name: &str| program.variable(name, value(name));
        variables(&self.name)
            .iter()
            .fold(Program::new(&self.name, &self.file), |program, name| given(program, name))
    }
}

/// The names of the variables that the template gives to a function, those that it gives to all included.
fn variables(function: &str) -> Vec<String> {
    let template = fs::read_to_string(root().join("template.yaml")).expect("the template");
    let template: Value = serde_yaml_ng::from_str(&template).expect("the template is YAML");
    let own = &template["Resources"][resource(function).as_str()]["Properties"];
    let places = [&template["Globals"]["Function"], own].map(|place| &place["Environment"]["Variables"]);
    let maps = places.into_iter().map(|place| place.as_mapping().expect("variables"));
    let names = maps.flat_map(Mapping::keys).filter_map(Value::as_str);
    // What is logged is asked for by a parameter that is empty unless somebody looks closer.
    names.filter(|name| name.starts_with("SWITCHBOARD_")).map(str::to_owned).collect()
}

/// `crm-sync` is `CrmSync` in the template.
fn resource(function: &str) -> String {
    let parts = function.split('-').map(|part| part[..1].to_uppercase() + &part[1..]);
    parts.collect()
}

/// Something of the kind that a variable holds.
fn value(variable: &str) -> &'static str {
    if variable.ends_with("_QUEUE") {
        return "https://sqs.eu-central-1.amazonaws.com/000000000000/bench";
    }
    "bench"
}

/// Every function of the project, or what to do when one is missing.
pub fn find() -> Result<Vec<Bootstrap>, String> {
    let folder = folder()?;
    println!("functions from {}", folder.display());
    names().into_iter().map(|name| bootstrap(&folder, name)).collect()
}

/// The functions are the folders of `functions/`.
fn names() -> Vec<String> {
    let folders = fs::read_dir(root().join("functions")).expect("the project has functions").flatten();
    let mut names: Vec<String> =
        folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that was asked for, else the usual one in which the functions were built last.
fn folder() -> Result<PathBuf, String> {
    // `cargo bench` adds a flag of its own.
    if let Some(given) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        // Cargo starts benchmarks in their package's folder; people name folders from the root.
        return Ok(root().join(given));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    // Beside zips that were asked for, cargo-lambda's folder may hold what the tests made for the emulator.
    let usual = [(target.join("lambda"), "/bootstrap.zip"), (target.join("release"), "")];
    let built = usual.into_iter().filter_map(|(folder, file)| Some((last_built(&folder, file)?, folder)));
    built.max().map(|(_, folder)| folder).ok_or_else(|| BUILD.to_owned())
}

/// When the last of all functions was built there; `None` when one is missing.
fn last_built(folder: &Path, file: &str) -> Option<SystemTime> {
    let built = |name: String| fs::metadata(folder.join(name + file)).ok()?.modified().ok();
    let times: Option<Vec<SystemTime>> = names().into_iter().map(built).collect();
    times?.into_iter().max()
}

/// A function's zip or program in a folder of builds: as cargo-lambda lays it out, or as cargo does.
fn built(folder: &Path, name: &str) -> Option<PathBuf> {
    let places =
        [folder.join(name).join("bootstrap.zip"), folder.join(name).join("bootstrap"), folder.join(name)];
    places.into_iter().find(|place| place.is_file())
}

fn bootstrap(folder: &Path, name: String) -> Result<Bootstrap, String> {
    let built =
        built(folder, &name).ok_or_else(|| format!("{name} is not in {}\n{BUILD}", folder.display()))?;
    let unpacked = tempfile::tempdir().expect("a folder");
    let file = unpacked.path().join("bootstrap");
    let zip = if built.ends_with("bootstrap.zip") {
        zipfile(&["-e", &text(&built), &text(unpacked.path())])?;
        built
    } else {
        fs::copy(&built, &file).expect("a copy");
        let zip = unpacked.path().join("bootstrap.zip");
        zipfile(&["-c", &text(&zip), &text(&file)])?;
        zip
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let zipped = fs::metadata(zip).expect("the zip is there").len();
    Ok(Bootstrap { name, zipped, file, _folder: unpacked })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Python's own zip tool; the project's checks need Python 3 anyway.
fn zipfile(arguments: &[&str]) -> Result<(), String> {
    let done = Command::new("python3").args(["-m", "zipfile"]).args(arguments).stdout(Stdio::null()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("`python3 -m zipfile {}` did not work: {other:?}", arguments.join(" "))),
    }
}
