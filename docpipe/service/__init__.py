"""The service without a shell: documents are submitted, jobs are queued and maintained, webhooks are sent."""
