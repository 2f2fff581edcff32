"""The merge patches that keep a Job and that stop keeping it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from chalicelib.domain.finished.keep import is_kept_for_good, keep_patch, unkeep_patch
from chalicelib.domain.kubernetes.jobs import Job, JobSpec
from chalicelib.domain.labels import KEEP_LABEL, KEPT_TTL_ANNOTATION
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from tests.support.builders import NOW, finished, job

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest

DAY = 86400
WITH_TTL = JobSpec(ttl_seconds_after_finished=3 * DAY)


def patched(found: Job, patch: Manifest) -> Job:
    """Return the Job as the API server stores it after *patch*."""
    return msgspec.convert(apply_merge_patch(msgspec.to_builtins(found), patch), Job)


class TestKeepPatch:
    """What keeps a Job."""

    @pytest.mark.parametrize("spec", [WITH_TTL, JobSpec()], ids=["with a TTL", "without"])
    def test_neither_cleanup_nor_ttl_is_left(self, spec: JobSpec) -> None:
        """The label is set and the TTL is gone."""
        assert is_kept_for_good(patched(job(spec=spec), keep_patch(job(spec=spec))))

    def test_label_of_a_user_stays(self) -> None:
        """A value that was set with kubectl is not replaced, but the TTL goes all the same."""
        found = job(spec=WITH_TTL, labels={KEEP_LABEL: "until-review"})

        kept = patched(found, keep_patch(found))

        assert (kept.metadata.labels[KEEP_LABEL], is_kept_for_good(kept)) == ("until-review", True)

    def test_false_is_not_kept(self) -> None:
        """`false` means that the Job is not kept, so that it becomes `true`."""
        assert keep_patch(job(labels={KEEP_LABEL: "false"})) == {"metadata": {"labels": {KEEP_LABEL: "true"}}}

    def test_second_request_changes_nothing(self) -> None:
        """The saved TTL is not overwritten by the missing one."""
        kept = patched(job(spec=WITH_TTL), keep_patch(job(spec=WITH_TTL)))

        assert patched(kept, keep_patch(kept)) == kept


class TestUnkeepPatch:
    """What undoes it."""

    def test_restores_the_job(self) -> None:
        """Keep and unkeep together leave the Job as it was."""
        kept = patched(job(spec=WITH_TTL), keep_patch(job(spec=WITH_TTL)))

        assert patched(kept, unkeep_patch(kept, NOW)) == job(spec=WITH_TTL)

    @pytest.mark.parametrize(
        ("days", "ttl"), [pytest.param(1, 3, id="still to come"), pytest.param(2, 3, id="in a day"), (10, 11)]
    )
    def test_ttl_leaves_a_day_for_the_cleanup(self, days: int, ttl: int) -> None:
        """A restored TTL ends at least a day from now, whenever the Job finished."""
        old = finished(spec=WITH_TTL)
        kept = patched(old, keep_patch(old))
        assert old.finished_at
        now = old.finished_at + timedelta(days=days)

        assert patched(kept, unkeep_patch(kept, now)).spec.ttl_seconds_after_finished == ttl * DAY

    @pytest.mark.parametrize("saved", ["", "-1", "1e3", "9" * 10, "٣", "5\n", None])
    def test_unusable_annotation_restores_no_ttl(self, saved: str | None) -> None:
        """What kubectl may have written there is removed and not trusted."""
        annotations: dict[str, Any] = {} if saved is None else {KEPT_TTL_ANNOTATION: saved}
        found = patched(job(labels={KEEP_LABEL: "true"}, annotations=annotations), {})

        assert patched(found, unkeep_patch(found, NOW)) == job()

    def test_ttl_that_was_set_meanwhile_stays(self) -> None:
        """A user's later choice counts more than the saved one."""
        found = job(spec=JobSpec(ttl_seconds_after_finished=5), annotations={KEPT_TTL_ANNOTATION: "7"})

        assert patched(found, unkeep_patch(found, NOW)).spec.ttl_seconds_after_finished == 5
