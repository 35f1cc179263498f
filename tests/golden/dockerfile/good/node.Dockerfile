FROM node:22.11.0-alpine3.20@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run build \
    && npm prune --omit=dev

FROM nginx:1.27.2-alpine@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS web
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
RUN apk add --no-cache tini=0.19.0-r3 \
    && sed -i 's/listen 80;/listen 8080;/' /etc/nginx/conf.d/default.conf \
    && nginx -V 2>&1 | grep -q with-http_v2_module \
    && chown -R 101:101 /var/cache/nginx
COPY --from=build --chown=101:101 /app/dist/ /usr/share/nginx/html/
USER 101
EXPOSE 8080
HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
ENTRYPOINT ["/sbin/tini", "--"]
CMD ["nginx", "-g", "daemon off;"]
