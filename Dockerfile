# FERLab with all that its commands and tests use. Build and run:
#   docker build -t ferlab .
#   docker run --rm -it -v "$PWD/runs:/ferlab/runs" ferlab
#   docker run --rm -it --network host ferlab deno task lab --no-browser
FROM debian:trixie-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    ca-certificates chromium gcc git libc6-dev nodejs npm postgresql python3 python3-pip python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && npm install -g deno@2.9.6
WORKDIR /ferlab
COPY . .
RUN deno install && deno task tf install
CMD ["deno", "task", "study"]
