//! Faults of the device as errors.
//!
//! wgpu reports faults beside the call, not from it: through error scopes, through a callback when the device is lost,
//! and by a panic where nobody listens. Everything that this crate asks of wgpu goes through [`Faults::guarded`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Locks a mutex whose holder cannot leave it half-changed, so that poisoning says nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches one device.
pub(crate) struct Faults {
    device: wgpu::Device,
    /// Why the device was lost, once it is.
    lost: Arc<Mutex<Option<String>>>,
    /// Scopes whose verdict the browser has not given yet.
    #[cfg(target_arch = "wasm32")]
    pending: Mutex<Vec<Verdict>>,
}

/// A popped scope, as a browser's promise.
#[cfg(target_arch = "wasm32")]
type Scope = std::pin::Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// The popped scopes of one guarded call and what it was.
#[cfg(target_arch = "wasm32")]
struct Verdict {
    what: String,
    scopes: [Scope; 3],
}

/// Verdicts that are kept for the next waiting call.
#[cfg(target_arch = "wasm32")]
const MOST_PENDING: usize = 1024;

/// Scopes around every guarded call, in the order in which their errors are preferred: an allocation that failed also
/// makes later calls invalid.
const FILTERS: [wgpu::ErrorFilter; 3] =
    [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];

impl Faults {
    /// Watches `device`. Its two handlers are installed only if it is `owned`: an application's device keeps the
    /// application's.
    pub(crate) fn new(device: &wgpu::Device, owned: bool) -> Self {
        let lost = Arc::new(Mutex::new(None));
        if owned {
            device.on_uncaptured_error(Arc::new(|error| log::error!("uncaptured GPU error: {error}")));
            let lost = Arc::clone(&lost);
            device.set_device_lost_callback(move |reason, message| {
                let message = if message.is_empty() { format!("{reason:?}").to_lowercase() } else { message };
                lock(&lost).get_or_insert(message);
            });
        }
        Self {
            #[cfg(target_arch = "wasm32")]
            pending: Mutex::default(),
            device: device.clone(),
            lost,
        }
    }

    /// Runs calls into wgpu and returns their faults as errors that say `what` was done. In browsers the verdict comes
    /// later, from the next [`Faults::settle`].
    ///
    /// # Errors
    /// What `calls` returns, [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::Gpu`].
    pub(crate) fn guarded<T>(&self, what: &str, calls: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        let scopes = FILTERS.map(|filter| self.device.push_error_scope(filter));
        let result = calls();
        // Scopes form a stack: the last pushed is popped first.
        let [outer, middle, inner] = scopes;
        let (inner, middle, outer) = (inner.pop(), middle.pop(), outer.pop());
        #[cfg(target_arch = "wasm32")]
        {
            let mut pending = lock(&self.pending);
            // Whoever never waits never asks; the first fault is the one that explains the others.
            if pending.len() < MOST_PENDING {
                let scopes: [Scope; 3] = [Box::pin(outer), Box::pin(middle), Box::pin(inner)];
                pending.push(Verdict { what: what.to_owned(), scopes });
            }
            result
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let fault = pollster::block_on(async { outer.await.or(middle.await).or(inner.await) });
            self.probe()?;
            fault.map_or(result, |fault| Err(error_from(what, &fault)))
        }
    }

    /// Waits for the verdicts of guarded calls that are still open.
    ///
    /// # Errors
    /// The first fault among them; [`Error::DeviceLost`].
    #[cfg(target_arch = "wasm32")]
    pub(crate) async fn settle(&self) -> Result<()> {
        let verdicts = std::mem::take(&mut *lock(&self.pending));
        let mut first = None;
        for Verdict { what, scopes } in verdicts {
            for scope in scopes {
                if let Some(fault) = scope.await {
                    first.get_or_insert_with(|| error_from(&what, &fault));
                }
            }
        }
        self.check()?;
        first.map_or(Ok(()), Err)
    }

    /// [`Error::DeviceLost`] if the device is known to be lost.
    ///
    /// # Errors
    /// Just that.
    pub(crate) fn check(&self) -> Result<()> {
        match &*lock(&self.lost) {
            Some(reason) => Err(Error::DeviceLost { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Finds out whether the device is still there, and remembers if it is not.
    ///
    /// On a lost device calls succeed without effect; the callback comes only once the queue is empty, and an
    /// application's device has the application's callback. But WebGPU reports no errors of lost devices, so an
    /// impossible request that raises none is the proof.
    ///
    /// # Errors
    /// [`Error::DeviceLost`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn probe(&self) -> Result<()> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        drop(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("probe"),
            size: 16,
            usage: wgpu::BufferUsages::empty(),
            mapped_at_creation: false,
        }));
        if pollster::block_on(scope.pop()).is_none() {
            lock(&self.lost).get_or_insert_with(|| "destroyed, or reset by its driver".to_owned());
        }
        self.check()
    }

    /// Blocks until a submission is done, or everything submitted if `None`; mappings of finished work are then ready.
    ///
    /// # Errors
    /// [`Error::DeviceLost`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: None };
        // wgpu panics where the driver reports the loss while it is being waited for (`handle_error_fatal`).
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.device.poll(wait)));
        match polled {
            Ok(Ok(_)) => self.probe(),
            Ok(Err(error)) => {
                self.probe()?;
                Err(Error::Gpu { what: "waiting for the device".to_owned(), message: error.to_string() })
            }
            Err(_) => {
                lock(&self.lost).get_or_insert_with(|| "while waiting for it".to_owned());
                self.check()
            }
        }
    }
}

fn error_from(what: &str, fault: &wgpu::Error) -> Error {
    let what = what.to_owned();
    match fault {
        wgpu::Error::OutOfMemory { source } => Error::OutOfMemory {
            what,
            message: source.to_string(),
            way_out: "free tensors, take a smaller input, or choose another adapter".to_owned(),
        },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            Error::Gpu { what, message: description.trim().to_owned() }
        }
    }
}
