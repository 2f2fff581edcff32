// A Job's life with the client that openapi-generator writes for Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	client "example.com/client"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: os.Getenv("BASE_URL")}}
	api := client.NewAPIClient(configuration).JobsAPI
	as := context.WithValue(context.Background(), client.ContextAccessToken, os.Getenv("TOKEN"))

	submission := client.NewSubmission("team-a", "busybox")
	submission.SetName("go")
	rate := "0.1"
	submission.SetEnvironment(map[string]client.EnvironmentValue{"LEARNING_RATE": client.StringAsEnvironmentValue(&rate)})
	body := client.SubmissionAsSubmitJobRequest(submission)
	job, _, err := api.SubmitJob(as).SubmitJobRequest(body).Execute()
	check(err)
	page, _, err := api.ListJobs(as, "team-a").Execute()
	check(err)
	listed := false
	for _, each := range page.GetData() {
		listed = listed || each.GetName() == job.GetName()
	}
	fmt.Println("listed", listed)
	for !job.FinishedAt.IsSet() || job.FinishedAt.Get() == nil {
		page, _, err := api.GetJob(as, "team-a", job.GetName()).Wait(25).Until(client.WAITTARGET_FINISHED).Execute()
		check(err)
		job = &page.GetData()[0]
	}
	fmt.Println("finished", job.GetStatus())
	log, _, err := api.JobLogs(as, "team-a", job.GetName()).Execute()
	check(err)
	fmt.Println(log)
	deletion, _, err := api.DeleteJob(as, "team-a", job.GetName()).Execute()
	check(err)
	fmt.Println("deleted", deletion.GetOk())
	_, response, err := api.ListJobs(as, "team-b").Execute()
	var refused *client.GenericOpenAPIError
	if !errors.As(err, &refused) {
		panic(err)
	}
	problem := refused.Model().(client.Problem)
	fmt.Println("error", response.StatusCode, problem.GetCode())
}
