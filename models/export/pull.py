"""Fetches a repository of the Hugging Face Hub with its official client, at one commit.

`tiller policy pull` runs it; the last line of its output is JSON for machines:

    {"revision": COMMIT, "files": [{"path": .., "bytes": .., "sha256": .. or null}]}   or   {"error": TEXT}

    pip install huggingface_hub==0.35.3
    python models/export/pull.py lerobot/smolvla_base --revision main --out models/checkpoints/smolvla
"""

import argparse
import json
import sys

try:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import filter_repo_objects
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit(1)


def pull(args):
    api = HfApi()
    info = api.model_info(args.repo, revision=args.revision, files_metadata=True)
    chosen = set(filter_repo_objects((file.rfilename for file in info.siblings), allow_patterns=args.include))
    files = sorted((file for file in info.siblings if file.rfilename in chosen), key=lambda file: file.rfilename)
    if not files:
        found = ", ".join(sorted(file.rfilename for file in info.siblings)) or "nothing"
        return {"error": f"no file of {args.repo} matches {', '.join(args.include)}; it has {found}"}
    snapshot_download(
        args.repo,
        revision=info.sha,
        local_dir=args.out,
        allow_patterns=[file.rfilename for file in files],
    )
    known = [
        {"path": file.rfilename, "bytes": file.size, "sha256": file.lfs.sha256 if file.lfs else None}
        for file in files
    ]
    return {"revision": info.sha, "files": known}


def explained(error, args):
    if isinstance(error, GatedRepoError):
        return (
            f"{args.repo} is only for those who accepted its terms: accept them on its page, and log in with `hf auth login` "
            "or HF_TOKEN"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{args.repo} has no revision `{args.revision}`: expected a branch, a tag or a commit"
    if isinstance(error, RepositoryNotFoundError):
        return f"there is no model repository {args.repo}, or it is private: `hf auth login` or HF_TOKEN lets you in"
    if isinstance(error, HFValidationError):
        return f"`{args.repo}`: expected OWNER/NAME ({error})"
    if isinstance(error, EntryNotFoundError):
        return f"a file of {args.repo} is gone: {error}"
    if isinstance(error, HfHubHTTPError):
        return f"the hub answered: {error}"
    return f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", help="OWNER/NAME")
    parser.add_argument("--revision", help="branch, tag or commit")
    parser.add_argument("--out", required=True, help="folder for the files")
    parser.add_argument("--include", action="append", required=True, help="pattern of the files to fetch; repeated")
    args = parser.parse_args()
    try:
        answer = pull(args)
    except (HfHubHTTPError, HFValidationError, EntryNotFoundError, OSError) as error:
        answer = {"error": explained(error, args)}
    print(json.dumps(answer))
    sys.exit("error" in answer)


if __name__ == "__main__":
    main()
