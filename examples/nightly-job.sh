#!/bin/sh
# A cron job that must not overlap, on whatever host it is started: a pool with one key.
# Put the line below into the crontab of several hosts; the first one does the work, the others exit with 75.
#
#   0 3 * * *  /opt/jobs/nightly-job.sh
#
# Once, by an admin:
#   token-orchestrator pools set nightly-job --key-ttl-seconds never --max-keys 1
#   token-orchestrator keys create --pool nightly-job

token-orchestrator run --pool nightly-job --holder "$(hostname)" -- sh -c '
  echo "started with $TOKEN_ORCHESTRATOR_KEY"
  sleep "${SECONDS_OF_WORK:-0}"
  echo "finished"
'
code=$?

if [ "$code" -eq 75 ]; then
  echo 'it runs already, elsewhere: nothing to do'
  exit 0
fi
exit "$code"
