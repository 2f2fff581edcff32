"""A Job's life with the client that openapi-generator writes for Python."""

import json
import os

from openapi_client import ApiClient, ApiException, Configuration, JobsApi, Submission, SubmitJobRequest, WaitTarget

configuration = Configuration(os.environ["BASE_URL"], access_token=os.environ["TOKEN"])
api = JobsApi(ApiClient(configuration))
submission = Submission.from_dict(
    {
        "project": "team-a",
        "image": "busybox",
        "name": "openapi-generator",
        "environment": {"LEARNING_RATE": "0.1"},
        "preventPrivilegeEscalation": True,
    }
)
job = api.submit_job(SubmitJobRequest(submission))
print("listed", any(each.name == job.name for each in api.list_jobs("team-a").data))
while job.finished_at is None:
    job = api.get_job("team-a", job.name, wait=25, until=WaitTarget.FINISHED).data[0]
print("finished", job.status.value)
print(api.job_logs("team-a", job.name))
print("deleted", api.delete_job("team-a", job.name).ok)
try:
    api.list_jobs("team-b")
except ApiException as error:
    print("error", error.status, json.loads(error.body)["code"])
