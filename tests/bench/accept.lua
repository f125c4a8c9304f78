wrk.headers["Accept"] = "application/vnd.oci.image.manifest.v1+json"
