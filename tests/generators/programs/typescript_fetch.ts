import { Configuration, JobsApi, ResponseError } from "./client/index.js";

const api = new JobsApi(new Configuration({ basePath: process.env.BASE_URL, accessToken: process.env.TOKEN }));
const [project, name] = ["team-a", "typescript-fetch"];
const environment = { LEARNING_RATE: 0.1, TOKEN: { secret: { name: "hub", key: "token" } } };
await api.submitJob({ submitJobRequest: { project, image: "busybox", name, environment }, dryRun: true });
const submission = { project, image: "busybox", name, environment: { LEARNING_RATE: 0.1 } };
let job = await api.submitJob({ submitJobRequest: submission });
console.log("listed", (await api.listJobs({ project })).data.some((each) => each.name === name));
while (job.finishedAt === null) job = (await api.getJob({ project, name, wait: 25, until: "finished" })).data[0];
console.log("finished", job.status);
console.log(await api.jobLogs({ project, name }));
console.log("deleted", (await api.deleteJob({ project, name })).ok);
try {
  await api.listJobs({ project: "team-b" });
} catch (error) {
  if (!(error instanceof ResponseError)) throw error;
  const problem = await error.response.json();
  console.log("error", problem.status, problem.code);
}
