import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.JobsApi;
import org.openapitools.client.model.EnvironmentValue;
import org.openapitools.client.model.JobView;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.Submission;
import org.openapitools.client.model.SubmitJobRequest;
import org.openapitools.client.model.WaitTarget;

/** A Job's life with the client that openapi-generator writes for Java. */
public class Main {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.setBasePath(System.getenv("BASE_URL")).setReadTimeout(60_000);
        client.setBearerToken(System.getenv("TOKEN"));
        JobsApi api = new JobsApi(client);
        Submission submission = new Submission().project("team-a").image("busybox").name("java");
        submission.putEnvironmentItem("LEARNING_RATE", new EnvironmentValue("0.1"));
        JobView job = api.submitJob(new SubmitJobRequest(submission), null, null);
        String name = job.getName();
        boolean listed = api.listJobs("team-a", null, null, null, null, null, null, null, null, null, null).getData().stream()
            .anyMatch(each -> each.getName().equals(name));
        System.out.println("listed " + listed);
        while (job.getFinishedAt() == null) {
            job = api.getJob("team-a", name, 25, WaitTarget.FINISHED, null, null).getData().get(0);
        }
        System.out.println("finished " + job.getStatus());
        System.out.println(api.jobLogs("team-a", name, null, null, null, null, null, null, null, null, null));
        System.out.println("deleted " + api.deleteJob("team-a", name, null, null, null).getOk());
        try {
            api.listJobs("team-b", null, null, null, null, null, null, null, null, null, null);
        } catch (ApiException error) {
            Problem problem = Problem.fromJson(error.getResponseBody());
            System.out.println("error " + error.getCode() + " " + problem.getCode());
        }
        client.getHttpClient().dispatcher().executorService().shutdown();
    }
}
