//! A GPU that fails: the cause is named, the last checkpoint is intact, and nothing hangs.

use crate::emulated::{gpus, is_there};
use crate::given::Given;
use crate::process::{Ended, PIPELINE, Process, result, run};
use crate::runs::on_gpu;

const GPU: &str = "compute.devices=[\"cuda:0\"]";

/// Ends a run by a fault, and resumes it without one: it comes to the bits of a run without faults.
fn fails(fault: &str, sets: &[&str], causes: &[&str]) {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    let all = |out| [&[GPU, "checkpoint.every_steps=2", out], sets].concat();
    on_gpu(&given, &[], false, &all("run.out=whole")).expect(0);
    let mut ended = on_gpu(&given, &["--faults", fault], false, &all("run.out=broken")).expect(1);
    for cause in causes {
        ended = ended.says(cause);
    }
    ended.says("resume with `");
    // A run may be resumed without what was set to find the fault.
    on_gpu(&given, &[], true, &[GPU, "checkpoint.every_steps=2", "run.out=broken"]).expect(0);
    assert_eq!(result(&given.path("broken")), result(&given.path("whole")));
}

#[test]
fn a_kernel_that_fails() {
    // Whichever of the two threads meets it first.
    let cause = ": cuda:0: work on the GPU failed: ";
    fails(
        "launch:90",
        &[],
        &[cause, "(CUDA_ERROR_LAUNCH_FAILED); with --set compute.blocking=true"],
    );
}

#[test]
fn a_kernel_that_reads_elsewhere_is_named_if_it_is_waited_for() {
    let cause = "error: launch: cuda:0: the kernel dropout_train failed: ";
    let address = "(CUDA_ERROR_ILLEGAL_ADDRESS)\n";
    fails("illegal:dropout_train:8", &["compute.blocking=true"], &[cause, address]);
}

#[test]
fn a_launch_that_is_refused() {
    fails(
        "refusal:95",
        &[],
        &[
            "error: launch: cuda:0: the kernel ",
            "(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)",
        ],
    );
}

#[test]
fn a_gpu_that_vanishes() {
    fails(
        "vanish:100",
        &[],
        &[
            "cuda:0: ",
            "(CUDA_ERROR_UNKNOWN); nvidia-smi and the system's log may say more",
        ],
    );
}

/// A command that is refused before it begins.
fn refused(options: &[&str], args: &[&str]) -> Ended {
    let given = Given::new(4, 1);
    let mut command = gpus(1, options);
    command.arg(PIPELINE);
    let toml = given.toml().display().to_string();
    let args = args.iter().map(|arg| if *arg == "TOML" { toml.as_str() } else { arg });
    let ended = Process::start_as(command, &given.path(""), args).wait();
    assert!(
        !given.path("run/checkpoints").exists() || ended.code == Some(1),
        "nothing was begun: {ended:#?}"
    );
    ended
}

#[test]
fn too_little_memory_is_refused_with_both_numbers() {
    if !is_there() {
        return;
    }
    for command in ["run", "check"] {
        let ended = refused(&["--memory", "128K"], &[command, "TOML", "--set", GPU]);
        ended
            .expect(2)
            .says("cuda:0 has 0.1 MB of memory, but the network and its batches need 67.")
            .says(" MB: lower staging.batch");
    }
}

#[test]
fn an_allocation_that_fails_is_no_panic() {
    if !is_there() {
        return;
    }
    let ended = refused(&["--faults", "allocation:1"], &["run", "TOML", "--set", GPU]);
    ended.expect(1).says("(CUDA_ERROR_OUT_OF_MEMORY); lower staging.batch");
}

#[test]
fn gpus_that_cannot_be_used_are_told_in_one_line() {
    if !is_there() {
        return;
    }
    let other = "compute.devices=[\"cuda:4\"]";
    let cases: [(&[&str], &str, &str); 3] = [
        (
            &["--driver", "12.2"],
            GPU,
            "the NVIDIA driver is for CUDA 12.2, but 12.4 or newer is needed",
        ),
        (
            &["--capability", "6.1"],
            GPU,
            "has compute capability 6.1, but 7.0 or higher is needed",
        ),
        (&[], other, "cuda:4 cannot be used: this machine has one GPU, cuda:0"),
    ];
    for (options, device, why) in cases {
        let ended = refused(options, &["run", "TOML", "--set", device]).expect(2).says(why);
        assert_eq!(
            ended.stderr.lines().filter(|line| line.starts_with("error:")).count(),
            1,
            "{ended:#?}"
        );
        let listed = refused(options, &["devices"]).expect(0).stdout;
        assert!(
            listed.ends_with(if options.is_empty() {
                "auto      cuda:0\n"
            } else {
                "auto      cpu:0\n"
            }),
            "{listed}"
        );
    }
    // "auto" goes on to the CPU, and says why.
    let small = refused(&["--memory", "128K"], &["check", "TOML"]).expect(0).stdout;
    assert!(
        small.contains("device    cpu:0, because cuda:0 has 0.1 MB of memory"),
        "{small}"
    );
    let told = refused(&["--driver", "12.2"], &["check", "TOML"]).expect(0).stdout;
    assert!(
        told.contains("device    cpu:0, because the NVIDIA driver is for CUDA 12.2"),
        "{told}"
    );
}

/// A machine with a driver and no GPU is no machine with a broken driver.
#[test]
fn a_driver_without_a_gpu_is_no_fault() {
    if !is_there() {
        return;
    }
    let given = Given::new(4, 1);
    let start = |args: &[&str]| {
        let mut command = gpus(0, &[]);
        command.arg(PIPELINE);
        Process::start_as(command, &given.path(""), args).wait()
    };
    let toml = given.toml().display().to_string();
    let trained = start(&["run", &toml]).expect(0);
    assert!(!trained.stderr.contains("warning"), "{trained:#?}");
    let listed = start(&["devices"]).expect(0).stdout;
    assert!(listed.contains("no GPU    this machine has no NVIDIA GPU"), "{listed}");
}

#[test]
fn a_loss_that_is_no_number_ends_a_run_as_on_a_cpu() {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    let sets = |device, out| [device, out, "solver.lr=1e9"];
    let cpu = run(&given, &sets("compute.devices=[\"cpu:0\"]", "run.out=cpu")).expect(1);
    let gpu = on_gpu(&given, &[], false, &sets(GPU, "run.out=gpu")).expect(1);
    let errors = |ended: &Ended| -> Vec<String> {
        let lines = ended.stderr.lines().filter(|line| line.starts_with("error:"));
        lines.map(ToOwned::to_owned).collect()
    };
    assert_eq!(errors(&cpu), errors(&gpu));
    assert!(!errors(&cpu).is_empty());
}
