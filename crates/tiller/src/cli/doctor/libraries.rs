//! What is loaded at run time, and processors beside the main one.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Finding;

pub(super) fn examine() -> Vec<Finding> {
    vec![inference(), physics(), drawing(), gpu()]
}

/// ONNX Runtime's entry, of which this much never changes.
#[repr(C)]
struct ApiBase {
    get_api: extern "C" fn(u32) -> *const c_void,
    get_version: extern "C" fn() -> *const c_char,
}

fn inference() -> Finding {
    let name = "ONNX Runtime";
    let todo = "`cargo xtask setup`, or name the library in ORT_DYLIB_PATH";
    let path = match tiller_policy::find_runtime() {
        Ok(path) => path,
        Err(error) => return Finding::problem(name, error.to_string(), todo),
    };
    let library = match Library::open(&path) {
        Ok(library) => library,
        Err(error) => return Finding::problem(name, error, todo),
    };
    let Some(entry) = library.symbol(c"OrtGetApiBase") else {
        let found = format!("`{}` is none", path.display());
        return Finding::problem(name, found, todo);
    };
    // SAFETY: the function of this name has this form in every version; what it returns is static.
    let version = unsafe {
        let entry = std::mem::transmute::<*mut c_void, extern "C" fn() -> *const ApiBase>(entry);
        text(((*entry()).get_version)())
    };
    Finding::ok(name, format!("{version} (`{}`)", path.display()))
}

/// This program is linked with MuJoCo: where it runs, it is there.
fn physics() -> Finding {
    let name = "MuJoCo";
    // SAFETY: a name that ends in zero; the default handle looks in what is loaded already.
    let entry = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mj_versionString".as_ptr()) };
    if entry.is_null() {
        let todo = "`cargo xtask setup`, then build anew; a real arm does without";
        return Finding::warning(name, "not found", todo);
    }
    // SAFETY: the function of this name takes nothing and returns a static text.
    let version = unsafe {
        let entry = std::mem::transmute::<*mut c_void, extern "C" fn() -> *const c_char>(entry);
        text(entry())
    };
    Finding::ok(name, version)
}

/// Simulated cameras are drawn without a display.
fn drawing() -> Finding {
    /// `EGL_VERSION`, of no display in particular.
    const VERSION: c_int = 0x3054;
    let name = "EGL";
    let todo =
        "install libegl1 and a driver (libegl-mesa0) to simulate cameras; a real arm does without";
    let library = match Library::open(Path::new("libEGL.so.1")) {
        Ok(library) => library,
        Err(error) => return Finding::warning(name, error, todo),
    };
    let Some(entry) = library.symbol(c"eglQueryString") else {
        return Finding::warning(name, "libEGL.so.1 is none", todo);
    };
    // SAFETY: the function of this name has this form; without a display it returns a static text or none.
    let version = unsafe {
        type Query = extern "C" fn(*mut c_void, c_int) -> *const c_char;
        let entry = std::mem::transmute::<*mut c_void, Query>(entry);
        let version = entry(std::ptr::null_mut(), VERSION);
        if version.is_null() {
            "before 1.5".to_owned()
        } else {
            text(version)
        }
    };
    Finding::ok(name, version)
}

fn gpu() -> Finding {
    let name = "GPU";
    let driver = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    let driver = driver.lines().next().unwrap_or_default().trim().to_owned();
    let devices = (0..16)
        .filter(|number| Path::new(&format!("/dev/nvidia{number}")).exists())
        .count();
    match (devices, driver.as_str()) {
        (0, "") => Finding::ok(name, "no NVIDIA device; policies run on the CPU"),
        (0, driver) => Finding::warning(
            name,
            format!("a driver without a device: {driver}"),
            "`nvidia-smi` says more",
        ),
        (count, "") => Finding::warning(
            name,
            format!("{count} device(s) without a driver"),
            "install NVIDIA's driver, or let the policy run on the CPU",
        ),
        (count, driver) => Finding::ok(name, format!("{count} device(s), {driver}")),
    }
}

/// A shared library, for as long as the process lives: what it has begun may not be unloaded.
struct Library(*mut c_void);

impl Library {
    fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let name = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| format!("`{shown}` is no path"))?;
        // SAFETY: a text that ends in zero. What the library does on loading is trusted, as the
        // dataflow trusts it.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: after a failure this is a text.
            let why = unsafe { text(libc::dlerror()) };
            return Err(format!("`{shown}` cannot be loaded: {why}"));
        }
        Ok(Self(handle))
    }

    fn symbol(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the handle is open, the name ends in zero.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    }
}

/// # Safety
/// `pointer` is null or a text that ends in zero.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn the_libraries_of_this_machine_are_found() {
        let found = examine();
        let runtime = found.iter().find(|one| one.name == "ONNX Runtime").unwrap();
        assert_eq!(runtime.state, State::Ok, "{runtime:?}");
        let version = runtime.found.split(' ').next().unwrap();
        let mut parts = version.split('.').take(2);
        assert!(parts.all(|part| part.parse::<u32>().is_ok()), "{runtime:?}");
    }

    #[test]
    fn what_is_no_library_is_told() {
        let error = Library::open(Path::new("/dev/null")).err().unwrap();
        assert!(error.contains("cannot be loaded"), "{error}");
    }
}
