# The commands that a newcomer types. `make` alone lists them.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DEMO := examples/digits

# Mesa's device-select layer asks for a window system and complains where there is none, as in a container. There is no
# window here.
export NODEVICE_SELECT ?= 1

.PHONY: help demo test soak browser-demo browser-test lint docs bench gpu-bundle clean-out

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build, segment the six scenes, print times and metrics, look into the network; results are in out/.
	$(CARGO) build --release --bin switchback
	@ci/vulkan $(TARGET)/release/switchback || true
	$(TARGET)/release/switchback segment $(DEMO)/scene-[1-6].png --model fcn8s \
	    --weights $(DEMO)/fcn8s-digits.safetensors --classes $(DEMO)/classes.txt --truth $(DEMO) --out out --overlay
	$(TARGET)/release/switchback visualize $(DEMO)/scene-4.png --model fcn8s \
	    --weights $(DEMO)/fcn8s-digits.safetensors --layer conv2_2 --unit top9 --out out/scene-4.conv2_2.png

test: ## Run all tests, GPU tests included (a software Vulkan driver is installed if there is no adapter).
	$(CARGO) test --no-run
	@ci/vulkan $(TARGET)/debug/switchback || { [ -z "$$SWITCHBACK_REQUIRE_ADAPTER" ] && echo "GPU tests will be skipped"; }
	$(CARGO) test
	@ci/examples

SEEDS ?= 1000..1200
soak: ## Try generated problems of other seeds than every day's: SEEDS=1000..2000 (docs/TESTING.md).
	SWITCHBACK_SEEDS=$(SEEDS) nice $(CARGO) test --no-fail-fast --lib --test gpu --test pure --test golden \
	    generated -- --test-threads 1

browser-demo: ## Build a page that runs the demo's network in a browser; says what that needs, and how to serve it.
	CARGO="$(CARGO)" ci/browser-demo $(TARGET)/browser-demo
	@echo "serve it: python3 -m http.server -d $(TARGET)/browser-demo, and open http://localhost:8000"

browser-test: browser-demo ## Run operators, a network and that page in a headless Chromium; says what that needs.
	CARGO="$(CARGO)" ci/browser-test
	tests/browser/page.py $(TARGET)/browser-demo

lint: ## Formatting, clippy and rustdoc, warnings denied.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --lib

docs: ## Build the API documentation.
	$(CARGO) doc --no-deps --lib

bench: ## Measure one layer of FCN-8s in every variant; `switchback bench --help` has the rest.
	$(CARGO) build --release --bin switchback
	@ci/vulkan $(TARGET)/release/switchback
	$(TARGET)/release/switchback bench conv_transpose2d --input 1x21x70x70 --weight 21x21x16x16 --stride 8 --variant all

gpu-bundle: ## Gather release tests and benchmarks for a GPU machine without a toolchain, in target/gpu-bundle/.
	ci/gpu-bundle $(TARGET)/gpu-bundle

clean-out: ## Remove the demo's results.
	rm -rf out
