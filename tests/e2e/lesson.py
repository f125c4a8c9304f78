#!/usr/bin/env python3
"""The lesson of multi-stage builds, for real: four applications, each built by buildah in one stage and in several, on bases made from
Debian packages, pushed to a docker-registry and judged by the shipped policy "multistage".

    lesson.py           builds, pushes, judges, prints both verdicts and the sizes of each pair as a table
    lesson.py --keep DIR    leaves bases and builds in DIR, and uses what is there already

Debian has no .NET: that base is made of files at the paths and with the environment that Microsoft publishes for its images; their content
is random, so that it compresses as little as programs do."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import harness

HERE = pathlib.Path(__file__).resolve().parent / "lesson"
SHELL = "base-files,dash,coreutils"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# base: packages, environment. What is built on these is what the lesson is about.
BASES = {
    "golang": (f"{SHELL},golang-go", {"GOLANG_VERSION": "1.19.8", "GOPATH": "/go", "PATH": f"/usr/lib/go-1.19/bin:{PATH}"}),
    "node-build": (f"{SHELL},nodejs,node-typescript,gcc,libc6-dev,make", {"NODE_VERSION": "18.20.4", "PATH": PATH}),
    "node": ("base-files,nodejs", {"NODE_VERSION": "18.20.4", "PATH": PATH}),
    "python-build": (f"{SHELL},python3,python3-dev,python3-pip,g++,gfortran,cmake,git,libc6-dev", {"PYTHON_VERSION": "3.11.2", "PATH": PATH}),
    "python": ("base-files,python3-minimal", {"PYTHON_VERSION": "3.11.2", "PATH": PATH}),
    "dotnet-sdk": (SHELL, {"DOTNET_SDK_VERSION": "8.0.403", "ASPNET_VERSION": "8.0.10", "DOTNET_VERSION": "8.0.10", "PATH": PATH,
                           "DOTNET_RUNNING_IN_CONTAINER": "true", "NUGET_XMLDOC_MODE": "skip"}),
    "dotnet": ("base-files", {"ASPNET_VERSION": "8.0.10", "DOTNET_VERSION": "8.0.10", "DOTNET_RUNNING_IN_CONTAINER": "true",
                              "APP_UID": "1654", "PATH": PATH}),
}

RUNTIME_FILES = {  # path: MiB
    "usr/share/dotnet/dotnet": 1,
    "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.10/System.Private.CoreLib.dll": 20,
    "usr/share/dotnet/shared/Microsoft.AspNetCore.App/8.0.10/Microsoft.AspNetCore.dll": 10,
}
SDK_FILES = {
    "usr/share/dotnet/sdk/8.0.403/dotnet.dll": 90,
    "usr/share/dotnet/sdk/8.0.403/FSharp/FSharp.Compiler.Service.dll": 60,
    "usr/share/dotnet/packs/Microsoft.NETCore.App.Ref/8.0.10/ref/net8.0/System.dll": 40,
    "usr/share/dotnet/templates/8.0.10/microsoft.dotnet.common.projecttemplates.8.0.nupkg": 2,
}
EXTRA_FILES = {"dotnet": RUNTIME_FILES, "dotnet-sdk": {**RUNTIME_FILES, **SDK_FILES}}

APPLICATIONS = ["node", "dotnet", "go", "python"]
REMOVED = ["usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt", "var/log", "dev"]


def run(arguments, **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(str(a) for a in arguments)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Lesson:
    def __init__(self, directory):
        for program in ("buildah", "mmdebstrap", "docker-registry"):
            harness.need(program)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.storage = ["buildah", "--root", self.directory / "storage", "--runroot", self.directory / "run",
                        "--storage-driver", os.environ.get("REGWARDEN_STORAGE_DRIVER", "overlay")]
        self.probe()
        (self.directory / "registry").mkdir(exist_ok=True)
        self.registry = harness.Registry(self.directory / "registry")

    def probe(self):
        """Can buildah build at all here? In a bare chroot it cannot."""
        context = self.directory / "probe"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        done = subprocess.run([str(a) for a in [*self.storage, "bud", "--quiet", "--isolation", "chroot", context]],
                              capture_output=True, text=True)
        if done.returncode:
            raise harness.Skip("buildah cannot build here: " + (done.stderr.strip() or "no reason").splitlines()[-1])

    def stop(self):
        self.registry.stop()
        subprocess.run([str(a) for a in self.storage] + ["unmount", "--all"], capture_output=True)

    # --- bases ---

    def make_root(self, name):
        root = self.directory / "roots" / name
        if root.exists():
            return root
        root.parent.mkdir(exist_ok=True)
        packages, _ = BASES[name]
        making = root.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        done = subprocess.run(["mmdebstrap", "--variant=extract", f"--include={packages}", "bookworm", str(making)],
                              capture_output=True, text=True)
        if done.returncode:
            raise harness.Skip("mmdebstrap cannot fetch Debian's packages here: " + done.stderr.strip().splitlines()[-1])
        for path in REMOVED:
            shutil.rmtree(making / path, ignore_errors=True)
        for path, mebibytes in EXTRA_FILES.get(name, {}).items():
            file = making / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(os.urandom(mebibytes << 20))
            file.chmod(0o755)
        making.rename(root)
        return root

    def push_base(self, name):
        root = self.make_root(name)
        _, environment = BASES[name]
        container = run([*self.storage, "from", "scratch"]).strip()
        run([*self.storage, "copy", "--quiet", container, root, "/"])
        for key, value in environment.items():
            run([*self.storage, "config", "--env", f"{key}={value}", container])
        self.commit_and_push(container, f"base/{name}:1")

    def commit_and_push(self, container, name):
        run([*self.storage, "commit", "--quiet", "--rm", container, f"{self.registry.host}/{name}"])
        self.push(name)

    def push(self, name):
        run([*self.storage, "push", "--quiet", "--tls-verify=false", f"{self.registry.host}/{name}"])

    def make_bases(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.make_root, BASES))
        for name in BASES:
            self.push_base(name)

    # --- applications ---

    def build(self, application, way):
        context = self.directory / "contexts" / application
        if not context.exists():
            shutil.copytree(HERE / application, context)
            self.add_context_leaks(context)
        client = self.registry.client()
        arguments = []
        for base in BASES:
            key = base.upper().replace("-", "_")
            arguments += ["--build-arg", f"{key}={self.registry.host}/base/{base}@{client.digest(f'base/{base}', '1')}"]
        name = f"app/{application}:{way}"
        run([*self.storage, "bud", "--quiet", "--isolation", "chroot", "--layers", "--tls-verify=false", *arguments, "--file",
             context / f"{way}.Dockerfile", "--tag", f"{self.registry.host}/{name}", context])
        self.push(name)
        return f"{self.registry.host}/{name}"

    def add_context_leaks(self, context):
        """What lies about in everybody's checkout: COPY . brings it along."""
        (context / ".git" / "objects").mkdir(parents=True)
        (context / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (context / ".git" / "objects" / "pack").write_bytes(os.urandom(200_000))

    def build_all(self):
        """Returns {application: {way: reference}}."""
        self.registry.start()
        self.make_bases()
        return {application: {way: self.build(application, way) for way in ("single", "multi")} for application in APPLICATIONS}

    # --- judging ---

    def check(self, *arguments):
        done = subprocess.run([harness.BINARY, "check", "-p", str(harness.SOURCE / "policies" / "multistage.yaml"), *arguments],
                              capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout, done.stderr

    def judge(self, references):
        """Returns {reference: result as in check -o json}."""
        _, output, errors = self.check("-o", "json", *references)
        results = json.loads(output or "null")
        assert results, errors
        return {result["reference"]: result for result in results["results"]}


def size_table(built, results):
    lines = [f"{'application':<12}{'one stage':>12}{'several':>12}{'smaller by':>12}   verdicts"]
    for application, ways in built.items():
        single, multi = (results[ways[way]] for way in ("single", "multi"))
        before, after = (result["facts"]["compressedBytes"] for result in (single, multi))
        lines.append(f"{application:<12}{before / 1e6:>9.1f} MB{after / 1e6:>9.1f} MB{100 * (1 - after / before):>10.1f} %"
                     f"   {single['verdict']} -> {multi['verdict']}")
    return "\n".join(lines)


def main():
    keep = sys.argv[2] if len(sys.argv) > 2 and sys.argv[1] == "--keep" else None
    directory = keep or tempfile.mkdtemp(prefix="regwarden-lesson-")
    lesson = Lesson(directory)
    try:
        print("Making bases from Debian packages and building four applications in two ways …", flush=True)
        built = lesson.build_all()
        references = [reference for ways in built.values() for reference in ways.values()]
        print(lesson.check(*references)[1])
        print(size_table(built, lesson.judge(references)))
    finally:
        lesson.stop()
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
