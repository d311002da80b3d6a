"""Our cluster files, and ways to break each: what stands there, what is put instead, the reason."""

AWS = "cluster.yaml"
GCP = "platform/deploy/gcp.yaml"
RAY_CLUSTER = "platform/deploy/kuberay/cluster.yaml"
RAY_JOB = "platform/deploy/kuberay/job.yaml"
FILES = (AWS, GCP, RAY_CLUSTER, RAY_JOB)

_ON_DEMAND = "      InstanceType: g6.48xlarge\n      ImageId"
_SPOT = _ON_DEMAND.replace("\n", "\n      InstanceMarketOptions: {MarketType: spot}\n")
_HEAD_IS_SPOT = "InstanceType: m6i.large\n      InstanceMarketOptions: {MarketType: spot}"
_PUBLIC_RULE = (
    "region: us-west-2\n  security_group: {IpPermissions: [{FromPort: 8265, ToPort: 8265, "
    "IpProtocol: tcp, IpRanges: [{CidrIp: 0.0.0.0/0}]}]}"
)
_HEAD_ALONE = "  head_run_options: [--env RAY_AUTH_MODE=token]\n  run_options:\n"
_WORKERS_OPEN = "  worker_run_options: [--env RAY_AUTH_MODE=disabled]\n  run_options:\n"
KEY = "AKIA" + 16 * "Q"

BROKEN = [
    (AWS, "max_workers: 32", "max_worker: 32", "unknown key 'max_worker'; did you mean 'max_w"),
    (
        AWS,
        "max_workers: 32",
        "max_workers: many",
        "max_workers: must be a whole number, got 'many'",
    ),
    (AWS, "{CPU: 4, GPU: 1}", "{CPU: 4, GPU: 0.5}", "GPU: must be a whole number, got 0.5"),
    (AWS, "max_workers: 32\n", "", "max_workers is missing"),
    (AWS, "head_node_type: head", "head_node_type: haed", "unknown node type 'haed'; did you mean"),
    (AWS, "type: aws", "type: azure", "unknown provider 'azure'"),
    (AWS, "  region: us-west-2\n", "", "region: is missing"),
    (AWS, "idle_timeout_minutes: 5\n", "", "has no idle time-out"),
    (AWS, "cache_stopped_nodes: false", "cache_stopped_nodes: true", "their disks go on costing"),
    (AWS, "  cache_stopped_nodes: false", "", "must be false: else nodes that go are only stopped"),
    (AWS, _ON_DEMAND, _SPOT, "gpu8-spot: is spot, and no node type on demand could hold"),
    (AWS, "InstanceType: m6i.large", _HEAD_IS_SPOT, "the head is a spot node"),
    (AWS, "max_workers: 32", "max_workers: 0", "no worker may ever come"),
    (
        AWS,
        "min_workers: 0\n    max_workers: 16",
        "min_workers: 17\n    max_workers: 16",
        "at least 17",
    ),
    (AWS, "{CPU: 48, GPU: 4}", "{CPU: 48, GPU: 8}", "8 GPUs are stated, but g6.12xlarge has 4"),
    (AWS, "{CPU: 4, GPU: 1}", "{CPU: 4}", "must state GPU"),
    (AWS, "region: us-west-2", _PUBLIC_RULE, "opens port 8265 to every address"),
    (
        AWS,
        "SecurityGroupIds: &closed",
        "SubnetIds: &closed",
        "every address (0.0.0.0/0) reach port 22",
    ),
    (AWS, "--dashboard-host=127.0.0.1", "--dashboard-host=0.0.0.0", "ray start listens on 0.0.0.0"),
    (AWS, "server --host 127.0.0.1", "server --host 0.0.0.0", "mlflow server listens on 0.0.0.0"),
    (AWS, "--ulimit nofile=65536:65536", "-p 8265:8265", "publishes 8265:8265 on all addresses"),
    (
        AWS,
        "head_start_ray_commands:",
        "metadata: {x: y}\nrsync_filter:",
        "head_start_ray_commands is",
    ),
    (
        AWS,
        "    - --env RAY_AUTH_MODE=token\n",
        "",
        "RAY_AUTH_MODE is not set in the head's containers",
    ),
    (AWS, "RAY_AUTH_MODE=token", "RAY_AUTH_MODE=disabled", "RAY_AUTH_MODE is disabled"),
    (AWS, ".ray/auth_token: ~/.ray/auth_token", "notes: ~/notes", "hands no node the token"),
    (
        AWS,
        "RAY_AUTH_MODE=token",
        "RAY_AUTH_TOKEN=0a1b2c3d4e5f",
        "holds the value of RAY_AUTH_TOKEN (0a1",
    ),
    (AWS, "ROTNET_CACHE_GB=150", f"AWS_ACCESSKEY_ID={KEY}", "holds an access key of AWS (AKI..."),
    (
        AWS,
        "sqlite:////shared/mlflow",
        "postgresql://ml:pass@db/ml #",
        "holds a password in an address",
    ),
    (AWS, "--env ROTLAB_STORE=/shared/store", "--env X=y", "ROTLAB_STORE is not set"),
    (AWS, "ROTLAB_STORE=/shared/store", "ROTLAB_STORE=/cache/store", "on a node's own disk"),
    (AWS, "mount -t nfs4", "mount -t ext4", "the store /shared/store lies on a node's own disk"),
    (AWS, "sqlite:////shared/mlflow", "sqlite:////tmp", "MLflow's database /tmp/mlflow.db lies on"),
    (
        AWS,
        "    --backend-store-uri sqlite:////shared/mlflow/mlflow.db\n",
        "",
        "a file where it was st",
    ),
    (
        AWS,
        "    --artifacts-destination s3://rotlab-example/mlflow",
        "   ",
        "artifacts lie in ./mlart",
    ),
    (AWS, "mlflow server", "mlflow gc", "the head starts no `mlflow server`"),
    (AWS, "    - --env MLFLOW_TRACKING_URI=http://127.0.0.1:5000\n", "", "that no study would use"),
    (AWS, "rotlab:0.1.0", "rotlab:latest", "rotlab:latest may be another image tomorrow"),
    (AWS, "rotlab:0.1.0", "rotlab", "may be another image tomorrow"),
    (AWS, "  image: registry.example/rotlab:0.1.0\n", "", "names no image"),
    (GCP, "  project_id: rotlab-example\n", "", "project_id: is missing"),
    (GCP, "use_internal_ips: true", "use_internal_ips: false", "by their internal addresses only"),
    (
        GCP,
        "subnetworks/rotlab",
        "subnetworks/rotlab\n          accessConfigs: [{name: x}]",
        "public addr",
    ),
    (GCP, "{CPU: 8, GPU: 1}", "{CPU: 8, GPU: 2}", "2 GPUs are stated, but g2-standard-8 has 1"),
    (
        GCP,
        "machineType: e2-standard-2",
        "scheduling: {preemptible: true}\n      machineType: e2-standard-2",
        "the head is a spot node",
    ),
    (RAY_CLUSTER, "kind: RayCluster", "kind: RayService", "unknown kind 'RayService'"),
    (RAY_CLUSTER, "ray.io/v1\n", "ray.io/v1alpha1\n", "must be ray.io/v1, got 'ray.io/v1alpha1'"),
    (RAY_CLUSTER, "workerGroupSpecs:", "workerGroupSpec:", "did you mean 'workerGroupSpecs'?"),
    (
        RAY_CLUSTER,
        "    - groupName: gpu1\n      minReplicas: 0\n",
        "    - groupName: gpu1\n",
        "needs minRep",
    ),
    (RAY_CLUSTER, "idleTimeoutSeconds: 300", "version: v2", "found duplicate key"),
    (RAY_CLUSTER, "    idleTimeoutSeconds: 300\n", "", "has no idle time-out"),
    (
        RAY_CLUSTER,
        "Autoscaling: true",
        "Autoscaling: false",
        "must be true: without it no worker comes",
    ),
    (
        RAY_CLUSTER,
        "serviceType: ClusterIP",
        "serviceType: LoadBalancer",
        "LoadBalancer opens the head's",
    ),
    (RAY_CLUSTER, "serviceType: ClusterIP", "enableIngress: true", "opens the dashboard"),
    (
        RAY_CLUSTER,
        "  networkPolicy: {mode: DenyAllIngress}",
        "  ",
        "every pod of the Kubernetes cluster",
    ),
    (
        RAY_CLUSTER,
        "serviceAccountName: rotlab-head",
        "hostNetwork: true",
        "on the machine's own address",
    ),
    (
        RAY_CLUSTER,
        "- name: ray-head",
        "- name: ray-head\n            ports: [{containerPort: 1, hostPort: 1}]",
        "hostPort 1 opens the machine's own address",
    ),
    (
        RAY_CLUSTER,
        "authOptions: {mode: token}",
        "authOptions: {mode: disabled}",
        "must be token, got 'dis",
    ),
    (RAY_CLUSTER, "  authOptions: {mode: token}", "  ", "head has no token"),
    (RAY_CLUSTER, '"2.60.0"', '"2.40.0"', "must be 2.52 or later, which know tokens"),
    (
        RAY_CLUSTER,
        "persistentVolumeClaim: {claimName: rotlab-shared}",
        "emptyDir: {}",
        "on a node's own",
    ),
    (
        RAY_CLUSTER,
        "persistentVolumeClaim: {claimName: rotlab-shared}",
        "csi: {driver: s3.csi.aws.com}",
        "on a node's own disk",
    ),
    (
        RAY_CLUSTER,
        "value: /shared/store",
        "value: /tmp/store",
        "the store /tmp/store lies on a node's own",
    ),
    (
        RAY_CLUSTER,
        'ROTNET_CACHE_GB, value: "150"',
        "WANDB_APIKEY, value: 0a1b2c3d",
        "value of WANDB_API",
    ),
    (RAY_CLUSTER, "rotlab:0.1.0", "rotlab:nightly", "may be another image tomorrow"),
    (
        RAY_CLUSTER,
        "capacity-type: on-demand",
        "capacity-type: spot",
        "no node type on demand could hold",
    ),
    (RAY_CLUSTER, 'rayStartParams: {num-cpus: "0"}', "nodeSelector: {}", "unknown field of a gr"),
    (
        RAY_JOB,
        "  entrypoint: rotlab run /study/study.yaml --address auto\n",
        "",
        "entrypoint: is missing",
    ),
    (
        RAY_JOB,
        "shutdownAfterJobFinishes: true",
        "shutdownAfterJobFinishes: false",
        "its cluster stays",
    ),
    (AWS, "ROTLAB_STORE=/shared/store", "ROTLAB_STORE=abfs://b/store", "'abfs' is not supp"),
    (
        AWS,
        "--env ROTLAB_STORE=/shared/store\n    - --env ROTLAB_DATA=s3://rotlab-example/data\n"
        "    - --env MLFLOW_TRACKING_URI=http://127.0.0.1:5000",
        "--env ROTLAB_STORE=s3://rotlab-example/store",
        "is a bucket, where MLflow's database cannot lie",
    ),
    (AWS, "head_node_type: head", "head_node_type: [head]", "unknown node type ['head']"),
    (AWS, "server --host 127.0.0.1", "server -h 0.0.0.0", "mlflow server listens on 0.0.0.0"),
    (
        AWS,
        "  run_options:\n    - --env RAY_AUTH_MODE=token\n",
        _HEAD_ALONE,
        "RAY_AUTH_MODE is not set in the workers' containers",
    ),
    (AWS, "  run_options:\n", _WORKERS_OPEN, "RAY_AUTH_MODE is disabled"),
    (
        AWS,
        "region: us-west-2",
        "region: us-west-2\n  security_group: {IpPermissions: [{IpRanges: 0.0.0.0/0}]}",
        "IpRanges: must be a list of mappings, got '0.0.0.0/0'",
    ),
    (RAY_CLUSTER, "groupName: gpu1-spot", "groupName: gpu1", "is another group's name already"),
    (
        RAY_CLUSTER,
        "idleTimeoutSeconds: 300",
        "idleTimeoutSeconds: 5 min",
        "idleTimeoutSeconds: must be a whole number, got '5 min'",
    ),
    (RAY_CLUSTER, "volumeMounts: *mounts", "volumeMounts: 3", "must be a list of mappings, got 3"),
    (RAY_CLUSTER, "apiVersion: ", "a: b\n---\napiVersion: ", "give each a file of its own"),
]
