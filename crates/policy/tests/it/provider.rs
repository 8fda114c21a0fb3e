//! The processor that was asked for runs the graphs, or nothing does.

use crate::common::data;
use tiller_policy::{Bundle, Policy, PolicyError, Provider, RuntimeOptions};

fn open(provider: Provider) -> Result<Policy, PolicyError> {
    let options = RuntimeOptions {
        provider,
        ..RuntimeOptions::default()
    };
    Policy::open(&Bundle::load(&data()).unwrap(), &options)
}

#[test]
fn graphs_run_on_the_cpu_unless_told_otherwise() {
    assert_eq!(RuntimeOptions::default().provider, Provider::Cpu);
    assert_eq!(open(Provider::Cpu).unwrap().provider(), Provider::Cpu);
    assert_eq!(Provider::Cuda.to_string(), "cuda");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn cuda_is_refused_by_a_program_without_it() {
    let error = open(Provider::Cuda).unwrap_err();
    assert_eq!(
        error.to_string(),
        "graphs cannot run on `cuda`: this program was built without it; build it with \
         `--features cuda`, or choose the provider `cpu`"
    );
}

/// What is true everywhere: with an ONNX Runtime and a device for it CUDA runs, and elsewhere it is
/// refused with the way out.
#[cfg(feature = "cuda")]
#[test]
fn cuda_runs_or_says_what_it_lacks() {
    use tiller_steering::Denoiser;

    let mut policy = match open(Provider::Cuda) {
        Ok(policy) => policy,
        Err(error) => {
            let message = error.to_string();
            assert!(
                message.starts_with("graphs cannot run on `cuda`: ")
                    && (message.contains("ORT_DYLIB_PATH")
                        || message.contains("nvidia-smi")
                        || message.contains("there is a device"))
                    && message.ends_with(", or choose the provider `cpu`"),
                "{message}"
            );
            return;
        }
    };
    assert_eq!(policy.provider(), Provider::Cuda);
    policy.warm_up(&[1, 3]).unwrap();
    let mut cpu = open(Provider::Cpu).unwrap();
    let pixels = [7; 3 * 16];
    let view = |name| tiller_policy::ImageView {
        name,
        width: 4,
        height: 4,
        rgb: &pixels,
    };
    let sample: Vec<f32> = (0..36).map(|i| i as f32 / 36.0).collect();
    let mut answers = [[0.0; 36]; 2];
    // The second chunk must not see the first one's condition.
    for state in [0.1, 0.3] {
        for (policy, out) in [&mut policy, &mut cpu].into_iter().zip(&mut answers) {
            policy
                .encode(&tiller_policy::Observation {
                    images: &[view("static"), view("wrist")],
                    state: &[state; 4],
                    environment: &[],
                    instruction: "",
                })
                .unwrap();
            policy.predict(&sample, 3, 0.5, out).unwrap();
        }
        for (on_cuda, on_cpu) in answers[0].iter().zip(&answers[1]) {
            assert!((on_cuda - on_cpu).abs() < 1e-4, "{on_cuda} is not {on_cpu}");
        }
    }
}
