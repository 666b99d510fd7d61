# One node. Configured by the environment; see DEPLOYMENT.md.
#
# The base is named down to its patch release, the packages by the lock file: the same commit gives the same image.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY build build
COPY src src
RUN npm run build

# Installed apart and not pruned out of the stage above: no trace of a tool can be left, and both stages run at once.
# No package that a node needs has a script to run at its installation, and none that comes later gets to run one.
FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# By number: Kubernetes cannot tell from a name that it is not root. All files belong to root, so the node changes none.
USER 1000:1000
EXPOSE 3000
# The probe that may restart the container asks only whether the process can answer; never whether Redis can. A refusal
# is an answer too: with AUTH_TOKENS and without OPS_PORT the probe has no token to show.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.OPS_PORT||process.env.PORT)+'/livez').then(r=>process.exit(r.status<500?0:1),()=>process.exit(1))"]
CMD ["node", "dist/main.js"]
