import { deleteJob, getJob, jobLogs, listJobs, submitJob } from "./client/sdk.gen.js";
import { client } from "./client/client.gen.js";

client.setConfig({ baseUrl: process.env.BASE_URL, auth: () => process.env.TOKEN });
const project = "team-a";
const environment = { LEARNING_RATE: 0.1 };
const submitted = await submitJob({ body: { project, image: "busybox", name: "hey-api", environment } });
if (submitted.error) throw new Error(submitted.error.detail);
const name: string = submitted.data.name;
const page = await listJobs({ path: { project } });
console.log("listed", page.data?.data.some((job) => job.name === name));
const query = { wait: 25, until: "finished" } as const;
let job = submitted.data;
while (job.finishedAt === null) job = (await getJob({ path: { project, name }, query, throwOnError: true })).data.data[0];
console.log("finished", job.status);
console.log((await jobLogs({ path: { project, name }, parseAs: "text" })).data);
console.log("deleted", (await deleteJob({ path: { project, name } })).data?.ok);
const { error } = await listJobs({ path: { project: "team-b" } });
console.log("error", error?.status, error?.code);
