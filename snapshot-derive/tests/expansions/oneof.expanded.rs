const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    type __O = nic_snapshot::Link;
    const __MEMBERS: <__O as __s::OneofSchema>::Members = <__O as __s::OneofSchema>::MEMBERS;
    const __DESCRIPTOR: &__s::OneofDescriptor = <__O as __s::OneofSchema>::DESCRIPTOR;
    const _: () = __s::assert_all_members(
        "Link",
        __DESCRIPTOR,
        &[
            __MEMBERS.Bridge.number(),
            __MEMBERS.None.number(),
            __MEMBERS.PassThrough.number(),
        ],
    );
    const _: () = __s::assert_member_fits(
        &|| __s::member::<_, Bridge>(&__MEMBERS.Bridge).fits(),
        &__MEMBERS.Bridge,
        "Bridge",
    );
    const _: () = __s::assert_member_fits(
        &|| __s::member::<_, ()>(&__MEMBERS.None).fits(),
        &__MEMBERS.None,
        "",
    );
    #[automatically_derived]
    impl __s::Sealed for Link {}
    #[automatically_derived]
    impl __s::Single for Link {}
    #[automatically_derived]
    impl __s::WireOneof<__O> for Link {
        const MEMBERS: &'static [__s::MemberForm] = &[
            __s::member_form(
                &__MEMBERS.Bridge,
                &|| __s::member::<_, Bridge>(&__MEMBERS.Bridge).fits(),
            ),
            __s::member_form(
                &__MEMBERS.None,
                &|| __s::member::<_, ()>(&__MEMBERS.None).fits(),
            ),
            __s::MemberForm::ignored(__MEMBERS.PassThrough.number()),
        ];
        const INSIDE: __s::StatesInside = __s::StatesInside::Each(
            &[__s::inside_member(&|| __s::member::<_, Bridge>(&__MEMBERS.Bridge).fits())],
        );
        fn put_oneof(&self, __w: &mut __s::Writer) -> __s::Result<__s::u32, __s::Error> {
            match self {
                Link::Switch(__value) => {
                    __s::member::<_, Bridge>(&__MEMBERS.Bridge)
                        .fits()
                        .put_member(__value, __w)
                }
                Link::None => {
                    __s::member::<_, ()>(&__MEMBERS.None).fits().put_member(&(), __w)
                }
            }
        }
        fn take_oneof(
            __tag: __s::Tag,
            __r: &mut __s::Reader<'_>,
        ) -> __s::Result<Self, __s::Error> {
            if __tag.number == __MEMBERS.Bridge.number() {
                __s::Ok(
                    Link::Switch(
                        __s::member::<_, Bridge>(&__MEMBERS.Bridge)
                            .fits()
                            .take_member(__tag, __r)?,
                    ),
                )
            } else if __tag.number == __MEMBERS.None.number() {
                __s::member::<_, ()>(&__MEMBERS.None).fits().take_member(__tag, __r)?;
                __s::Ok(Link::None)
            } else {
                __s::Err(__s::unmapped_member(__DESCRIPTOR, __tag))
            }
        }
        fn visit_oneof(
            &self,
            __visit: &mut __s::Visit<'_>,
        ) -> __s::Result<(), __s::Error> {
            match self {
                Link::Switch(__value) => {
                    __s::member::<_, Bridge>(&__MEMBERS.Bridge)
                        .fits()
                        .visit_member(__value, __visit)
                }
                Link::None => __s::Ok(()),
            }
        }
    }
    #[automatically_derived]
    impl __s::Keep for Link {
        fn keep_from(&mut self, __earlier: &mut Self) {
            use __s::{Keeps as _, KeepsNothing as _};
            match self {
                Link::Switch(__later) => {
                    if let Link::Switch(__old) = __earlier {
                        __s::Later(__later, __old).keep();
                    }
                }
                _ => {}
            }
        }
    }
};
